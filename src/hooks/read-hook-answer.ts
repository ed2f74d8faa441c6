import { type HttpReply, showWords } from '#base/call-http.ts'
import { limits } from '#base/limits.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { failed } from './hook-call.ts'

/**
 * What an answer means. 2xx allows, unless its document says otherwise: `{"decision": "hold", "reason": "…"}`, or
 * `rollBack`. 403 does not allow. All else is no answer.
 */
export function readHookAnswer({ status, text }: HttpReply, origin: string): HookAnswer {
	const said = documentOf(text)
	if (status === 403) return { kind: 'hold', reason: wordsOf(said, `${origin} answers 403`) }
	if (status < 200 || status > 299) return failed(wordsOf(said, `${origin} answers ${status}`))
	switch (said.decision) {
		case undefined:
		case 'allow':
			return { kind: 'allow' }
		case 'hold':
		case 'rollBack':
			return { kind: said.decision, reason: wordsOf(said, `${origin} says ${said.decision}`) }
		default: {
			const word = showWords(String(said.decision), limits.measurementWordsChars)
			return failed(`${origin} says "${word}"; expected allow, hold or rollBack`)
		}
	}
}

type Document = { readonly decision: unknown; readonly reason: unknown }

/** Own members only; whoever answers with something else has said nothing more than his status. */
function documentOf(text: string): Document {
	const json = parse(text)
	const member = (name: string): unknown =>
		json !== null && typeof json === 'object' && Object.hasOwn(json, name)
			? (json as Readonly<Record<string, unknown>>)[name]
			: undefined
	return { decision: member('decision'), reason: member('reason') }
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}

/** Somebody else's reason, shortened and on one line; without one, what he answered. */
function wordsOf({ reason }: Document, otherwise: string): string {
	const words = typeof reason === 'string' ? showWords(reason, limits.hookTextChars) : ''
	return words === '' ? otherwise : words
}
