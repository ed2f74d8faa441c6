import { limits } from '#base/limits.ts'
import type { CommandReply, ControllerCommand } from './commands.ts'
import { type Draft, journal } from './draft.ts'
import type { Exclusion } from './state.ts'

// Proxies that a person has taken out of what is expected (rules, serving 7). They are served like others; but no step,
// removal or confirmation waits for them, and what they report is no evidence: neither for a step nor for the way back.

export function excludedProxies(exclusions: readonly Exclusion[] | undefined): ReadonlySet<string> {
	return new Set((exclusions ?? []).map(({ proxy }) => proxy))
}

/** Again for the same proxy: with the new reason, for the new time. */
export function exclude(draft: Draft, command: Extract<ControllerCommand, { kind: 'exclude' }>): CommandReply {
	const { proxy, actor, reason, forMs } = command
	const others = exclusionsOf(draft).filter((known) => known.proxy !== proxy)
	const refusal = whyNot(draft, { proxy, others: others.length })
	if (refusal !== null) return refusal
	const exclusion: Exclusion = { proxy, actor, reason, sinceWallMs: draft.input.wallMs, leftMs: forMs }
	draft.state = { ...draft.state, excluded: [...others, exclusion] }
	const until = forMs === null ? 'until it is included' : `for ${Math.round(forMs / 1000)} s`
	journal(draft, { event: 'proxy.excluded', actor, reason, numbers: { proxy, forMs }, rollout: null })
	return { kind: 'done', text: `nothing waits for ${proxy} ${until}; it is served all the same, and unwatched` }
}

export function include(draft: Draft, command: Extract<ControllerCommand, { kind: 'include' }>): CommandReply {
	const { proxy, actor, reason } = command
	const others = exclusionsOf(draft).filter((known) => known.proxy !== proxy)
	if (others.length === exclusionsOf(draft).length)
		return { kind: 'refused', code: 'NOT_FOUND', text: `${proxy} is not excluded` }
	draft.state = { ...draft.state, excluded: others }
	journal(draft, { event: 'proxy.included', actor, reason, numbers: { proxy }, rollout: null })
	return { kind: 'done', text: `${proxy} counts again` }
}

/** An exclusion ends by itself, whether the daemon was up meanwhile or not. */
export function passExclusions(draft: Draft, elapsedMs: number): void {
	const known = exclusionsOf(draft)
	if (elapsedMs === 0 || known.every(({ leftMs }) => leftMs === null)) return
	const passed = known.map((one) => (one.leftMs === null ? one : { ...one, leftMs: one.leftMs - elapsedMs }))
	const isOver = ({ leftMs }: Exclusion) => leftMs !== null && leftMs <= 0
	draft.state = { ...draft.state, excluded: passed.filter((one) => !isOver(one)) }
	for (const { proxy, reason } of passed.filter(isOver)) {
		const text = `it was excluded for a time that is over: ${reason}`
		journal(draft, { event: 'proxy.included', actor: 'sluice', reason: text, numbers: { proxy }, rollout: null })
	}
}

function exclusionsOf({ state }: Draft): readonly Exclusion[] {
	return state.excluded ?? []
}

function whyNot({ input }: Draft, { proxy, others }: { proxy: string; others: number }): CommandReply | null {
	const standing = input.proxyStanding(proxy)
	if (standing === 'unknown')
		return { kind: 'refused', code: 'NOT_FOUND', text: `no proxy ${proxy} is connected or expected` }
	if (standing === 'unjoined') {
		const text = `${proxy} has no name that outlives its connection: give it one with sluice bootstrap, or end it`
		return { kind: 'refused', code: 'NOT_POSSIBLE', text }
	}
	if (others < limits.excludedProxies) return null
	const text = `${others} proxies are excluded, which is as many as there may be: include some`
	return { kind: 'refused', code: 'NOT_POSSIBLE', text }
}
