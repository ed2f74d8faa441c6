import { assert } from '#base/assert.ts'
import type { Command } from '#rollout/rollout.ts'

/** What may be asked of one rollout. */
export type RolloutVerb = 'abort' | 'approve' | 'pause' | 'promote' | 'promoteFull' | 'resume' | 'retry'

/** `rollout`: any name of it. */
export type RolloutCommand = Command & { readonly kind: RolloutVerb; readonly rollout: string }

/** Back to the last good shares, by and by; whatever takes a rollout back takes the rest back at once. */
export type RampCommand = Command & { readonly kind: 'abortByRamp'; readonly rollout: string; readonly overMs: number }

/**
 * Whether a rollout is meant: by its id, or by any of its routes as `router/route#number`. `router/route` names the newest
 * of that route.
 */
export function isNamed(
	name: string,
	{ id, routes }: { readonly id: string; readonly routes: readonly string[] },
): boolean {
	if (name === id) return true
	const number = id.slice(id.lastIndexOf('#'))
	return routes.some((route) => {
		const [, , , router, , own] = route.split('/')
		return name === `${router}/${own}` || name === `${router}/${own}${number}`
	})
}

/** What a person may ask for. Each has a name and a reason, and is in the journal. */
export type ControllerCommand =
	| RolloutCommand
	| RampCommand
	| FreezeCommand
	| UnfreezeCommand
	/** Back to the last good shares of a route, whether its last rollout runs or has succeeded. */
	| RollbackCommand
	/** Git is what proxies are to get that held something when the store was empty. */
	| ({ readonly kind: 'adopt' } & Command)
	/** Nothing waits for this proxy, for so long; null: until it is included. */
	| ({ readonly kind: 'exclude'; readonly proxy: string; readonly forMs: number | null } & Command)
	| ({ readonly kind: 'include'; readonly proxy: string } & Command)
	/** Take in a refused revision all the same: a rewritten branch, a mass delete. */
	| ({ readonly kind: 'accept'; readonly revision: string } & Command)

/** A part of the meshes by its names. `route` goes with its `router`; all null: everything. */
export type Scope = {
	readonly mesh: string | null
	readonly router: string | null
	readonly route: string | null
}

export type FreezeCommand = Command & {
	readonly kind: 'freeze'
	readonly scope: Scope
	/** Null: until somebody lifts it. */
	readonly untilWallMs: number | null
}

export type UnfreezeCommand = Command & { readonly kind: 'unfreeze'; readonly scope: Scope }

export type RollbackCommand = Command & { readonly kind: 'rollback'; readonly scope: Scope }

export type CommandReply = { readonly kind: 'done'; readonly text: string } | Refusal

export type Refusal = { readonly kind: 'refused'; readonly code: RefusalCode; readonly text: string }

export type RefusalCode =
	| 'NOT_FOUND'
	| 'NOT_RUNNING'
	| 'NOT_QUARANTINED'
	| 'NOT_ASKED'
	| 'NOT_DURABLE'
	/** A person has paused it, and it must be resumed first. */
	| 'PAUSED'
	/** As things are, it would do nothing, or must not be done. */
	| 'NOT_POSSIBLE'

/** A command that somebody awaits the answer to. */
export type Waiting = { readonly command: ControllerCommand; readonly answer: (reply: CommandReply) => void }

/** Gives each command of a turn its reply, in the order in which they were asked. */
export function answer(asked: readonly Waiting[], replies: readonly CommandReply[]): void {
	asked.forEach((one, index) => {
		const reply = replies[index]
		assert(reply !== undefined, 'every command of a turn has a reply')
		one.answer(reply)
	})
}
