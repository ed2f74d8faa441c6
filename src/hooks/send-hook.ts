import type { AllowedOrigins } from '#base/allowed-origins.ts'
import { callHttp } from '#base/call-http.ts'
import { limits } from '#base/limits.ts'
import { failed, type SendHook } from './hook-call.ts'
import type { HookSecrets } from './hook-secrets.ts'
import { readHookAnswer } from './read-hook-answer.ts'
import { signatureHeaders } from './sign.ts'

export type SendHookOptions = {
	readonly allowed: AllowedOrigins
	readonly secrets: HookSecrets
	readonly wallMs: () => number
}

/** One signed POST of JSON, only to whom the daemon may call. */
export function createSendHook({ allowed, secrets, wallMs }: SendHookOptions): SendHook {
	let underWay = 0
	const send: SendHook = async ({ hook, id, about }, signal) => {
		const url = new URL(hook.url)
		const refusal = allowed.refusal(url, hook.secret)
		if (refusal !== null) return failed(refusal)
		const keys = await secrets.keys(hook.secret)
		if (!keys.ok) return failed(keys.error)
		const timeMs = wallMs()
		const body = JSON.stringify({
			apiVersion: 'sluice/v1',
			kind: 'HookCall',
			id,
			hook: hook.name,
			point: hook.point,
			...about,
		})
		// Whoever watches is asked something new each time: an answer to an earlier question is none.
		const messageId = hook.point === 'watch' ? `${id}-${timeMs}` : id
		const headers = {
			accept: 'application/json',
			'content-type': 'application/json',
			...signatureHeaders(keys.value, { id: messageId, timestampS: Math.floor(timeMs / 1000), body }),
		}
		const reply = await callHttp(url, { method: 'POST', headers, body, mostBytes: limits.hookAnswerBytes }, signal)
		return reply.ok ? readHookAnswer(reply.value, url.origin) : failed(reply.error)
	}
	return async (call, signal) => {
		// A hook may hang for minutes; those of other rollouts are called beside it, and not after it.
		if (underWay >= limits.hookCallsAtOnce) return failed(`${underWay} calls of hooks are under way already`)
		underWay += 1
		try {
			return await send(call, signal)
		} finally {
			underWay -= 1
		}
	}
}
