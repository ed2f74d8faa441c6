// The API's contract: who it answers for, where it listens, and what its errors look like. Loopback only, as long as
// nobody has to log in. `openApi` is the whole room; the paths and shapes are what the command line and scripts use.

import { createAdaptorServer } from '@hono/node-server'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { isLoopback } from '#base/loopback.ts'
import { fail, type Result } from '#base/result.ts'
import type { DaemonFace } from '#controller/face.ts'
import type { Status } from '#controller/status.ts'
import type { Explained } from '#explain/explained.ts'
import type { JudgedLook } from '#rollout/judged-look.ts'
import type { JournalRecord } from '#store/store.ts'
import { createApp } from './app.ts'
import { listen } from './listen.ts'

export type ApiAddress = { readonly host: string; readonly port: number }

export type ApiOptions = {
	readonly address: ApiAddress
	readonly face: DaemonFace
	readonly clock: Clock
	readonly log: Log
	/** Sluice's own version. */
	readonly version: string
}

export type OpenApi = {
	/** `host:port`, with the port that the system gave when 0 was asked for. */
	readonly address: string
	/** Ends event streams at once, waits for other answers a moment. */
	close(): Promise<void>
}

/** Body of every answer that is no success. */
export type ApiError = { readonly error: { readonly code: ApiErrorCode; readonly message: string } }

export type ApiErrorCode =
	| 'BAD_REQUEST'
	| 'FORBIDDEN'
	| 'NOT_FOUND'
	| 'NOT_RUNNING'
	| 'NOT_QUARANTINED'
	| 'NOT_ASKED'
	| 'NOT_DURABLE'
	| 'NOT_POSSIBLE'
	| 'PAUSED'
	| 'TOO_LARGE'
	| 'UNSUPPORTED_MEDIA_TYPE'
	| 'WRONG_HOST'
	| 'TOO_MANY'
	| 'TIMEOUT'
	| 'INTERNAL'

/** Answer of `GET /api/v1/rollouts/:id`. */
export type RolloutAnswer = {
	readonly apiVersion: 'sluice/v1'
	readonly kind: 'Rollout'
	readonly rollout: Status['rollouts'][number]
	/** What the journal says of it, oldest first. */
	readonly history: readonly JournalRecord[]
}

/** Answer of `GET /api/v1/rollouts/:id/looks`. */
export type LooksAnswer = {
	readonly apiVersion: 'sluice/v1'
	readonly kind: 'LookList'
	readonly rollout: string
	/** Oldest first. Only the first `limits.looksKept` of a rollout are kept. */
	readonly looks: readonly JudgedLook[]
	/** What to ask for next, as `?after=`; null: these are the last. */
	readonly next: number | null
}

/** Answer of `GET /api/v1/proxies/:key/explain`. */
export type ExplanationAnswer = {
	readonly apiVersion: 'sluice/v1'
	readonly kind: 'Explanation'
	/** Whose ACKed configuration it is: identity and instance. */
	readonly key: string
	readonly explained: Explained
}

/** Answer of `GET /api/v1/traffic`. */
export type TrafficAnswer = { readonly apiVersion: 'sluice/v1'; readonly kind: 'Traffic' } & ReturnType<
	DaemonFace['traffic']
>

/** Answer of `GET /api/v1/proxies`. */
export type ProxyListAnswer = {
	readonly apiVersion: 'sluice/v1'
	readonly kind: 'ProxyList'
	readonly proxies: ReturnType<DaemonFace['proxies']>['proxies']
	/** Left out, so that the answer stays readable. */
	readonly more: number
}

/** Answer of a command that was carried out. */
export type CommandAnswer = { readonly apiVersion: 'sluice/v1'; readonly kind: 'CommandDone'; readonly text: string }

/** Opens the API, or says in one line why it cannot be. */
export async function openApi(options: ApiOptions): Promise<Result<OpenApi, string>> {
	const { address } = options
	if (!isLoopback(address.host)) {
		return fail(
			`the API has no login yet and listens on loopback only: ${address.host} is not loopback, use 127.0.0.1:${address.port}`,
		)
	}
	const closing = new AbortController()
	const app = createApp({ ...options, closing: closing.signal })
	const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false })
	return listen(server, { address, maxConnections: limits.apiConnections, beforeClose: () => closing.abort() })
}
