import { parseAllowedOrigins } from '#base/allowed-origins.ts'
import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { HookEvent, HookNotice, HookObservation } from '#hooks/hook-call.ts'
import { createHookCaller } from '#hooks/hook-caller.ts'
import { createHookNotifier } from '#hooks/hook-notifier.ts'
import { createHookSecrets } from '#hooks/hook-secrets.ts'
import { createSendHook } from '#hooks/send-hook.ts'
import type { HookPort } from './ports.ts'

/** Whom hooks may be, and the folder of the secrets that sign what they are sent; null: none. */
export type HookSettings = { readonly receivers: string; readonly secrets: string | null }

export type OpenHooksOptions = HookSettings & {
	readonly clock: Clock
	readonly random: Random
	readonly log: Log
	readonly emit: (event: HookEvent) => void
	readonly observe: (observation: HookObservation) => void
}

export type Hooks = HookPort & {
	tell(notice: HookNotice): void
	close(): void
}

/** Hooks over HTTP. The settings are checked by then. */
export function openHooks({ receivers, secrets, clock, random, log, emit, observe }: OpenHooksOptions): Hooks {
	const allowed = parseAllowedOrigins('hook-receivers', receivers)
	assert(allowed.ok, 'settings are checked before anything is opened')
	const send = createSendHook({
		allowed: allowed.value,
		secrets: createHookSecrets({ directory: secrets, environment: process.env }),
		wallMs: () => clock.wallMs(),
	})
	const caller = createHookCaller({ send, clock, random, emit, observe })
	const notifier = createHookNotifier({ send, clock, log, observe })
	return {
		follow: (calls) => caller.follow(calls),
		tell: (notice) => notifier.tell(notice),
		close() {
			caller.close()
			notifier.close()
		},
	}
}
