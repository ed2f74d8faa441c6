// One call over real HTTP, whatever the receiver does.
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseAllowedOrigins } from '#base/allowed-origins.ts'
import { assert } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import type { SendHook } from '#hooks/hook-call.ts'
import { createSendHook } from '#hooks/send-hook.ts'
import type { HookSpec } from '#mesh/hook-spec.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import {
	answerEndlessly,
	answerJson,
	answerText,
	type FigureServer,
	startFigureServer,
} from '../../fakes/figure-server.ts'
import { hookCall } from './call.ts'

const keys = ['the-older-key-of-32-characters!!', 'the-newer-key-of-32-characters!!'].map((key) => Buffer.from(key))
const nowMs = 1_790_000_000_123
let server: FigureServer
let elsewhere: FigureServer
let send: SendHook

beforeAll(async () => {
	server = await startFigureServer()
	elsewhere = await startFigureServer()
})
afterAll(async () => {
	await server.close()
	await elsewhere.close()
})
beforeEach(() => {
	const allowed = parseAllowedOrigins('hook-receivers', `${server.origin}=tickets`)
	assert(allowed.ok, 'an origin is allowed')
	send = createSendHook({
		allowed: allowed.value,
		secrets: {
			keys: async (name) => (name === 'tickets' ? { ok: true, value: keys } : { ok: false, error: 'unknown' }),
		},
		wallMs: () => nowMs,
	})
	server.answer(answerText(204, ''))
})

function call(change: Partial<HookSpec> = {}, signal: AbortSignal = AbortSignal.timeout(10_000)): Promise<HookAnswer> {
	return send(hookCall({ url: `${server.origin}/hook?a=b`, ...change }), signal)
}

async function reasonOf(asking: Promise<HookAnswer>): Promise<string> {
	const answer = await asking
	return answer.kind === 'allow' ? 'allow' : `${answer.kind}: ${answer.reason}`
}

describe('what is sent', () => {
	test('is JSON by POST, signed with each key over id, time and body', async () => {
		expect(await call()).toEqual({ kind: 'allow' })
		const [request, body] = [server.request(), server.body()]
		expect([request?.method, request?.url, request?.headers['content-type']]).toEqual([
			'POST',
			'/hook?a=b',
			'application/json',
		])
		expect(JSON.parse(body)).toEqual({
			apiVersion: 'sluice/v1',
			kind: 'HookCall',
			id: 'id-1',
			hook: 'gate',
			point: 'step',
			rollout: { id: 'B/B#1' },
		})
		const signatures = keys.map(
			(key) => `v1,${createHmac('sha256', key).update(`id-1.1790000000.${body}`).digest('base64')}`,
		)
		expect(request?.headers).toMatchObject({
			'webhook-id': 'id-1',
			'webhook-timestamp': '1790000000',
			'webhook-signature': signatures.join(' '),
		})
	})

	// The example of the specification's own library.
	test('is signed as Standard Webhooks are', async () => {
		const { signatureHeaders } = await import('#hooks/sign.ts')
		const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
		const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampS: 1_614_265_330, body: '{"test": 2432232314}' }
		expect(signatureHeaders([key], message)['webhook-signature']).toBe(
			'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
		)
	})

	test('has the same id for one step, and another one for each question of who watches', async () => {
		await call()
		await call()
		expect(server.request()?.headers['webhook-id']).toBe('id-1')
		await call({ point: 'watch' })
		expect(server.request()?.headers['webhook-id']).toBe(`id-1-${nowMs}`)
	})

	test('goes to nobody whom the daemon may not call, nor without a key', async () => {
		expect(await reasonOf(call({ url: `${elsewhere.origin}/` }))).toMatch(/may not be asked: hook-receivers lacks it/)
		expect(elsewhere.request()).toBeNull()
		expect(await reasonOf(call({ secret: 'other' }))).toMatch(
			/the credentials may not be sent there: hook-receivers lacks .*=other/,
		)
	})
})

describe('what an answer means', () => {
	test.for<[number, unknown, string]>([
		[200, '', 'allow'],
		[202, 'ok', 'allow'],
		[200, '<html>', 'allow'],
		[200, '[]', 'allow'],
		[200, 'null', 'allow'],
		[200, { decision: 'allow' }, 'allow'],
		[200, { decision: 'hold', reason: 'CHG-1 waits\nfor Ada' }, 'hold: CHG-1 waits for Ada'],
		[200, { decision: 'rollBack', reason: 'orders are lost' }, 'rollBack: orders are lost'],
		[200, { decision: 'rollBack' }, 'rollBack: ORIGIN says rollBack'],
		[200, { decision: 'rollback' }, 'failed: ORIGIN says "rollback"; expected allow, hold or rollBack'],
		[200, { decision: true }, 'failed: ORIGIN says "true"; expected allow, hold or rollBack'],
		[403, '', 'hold: ORIGIN answers 403'],
		[403, { decision: 'rollBack', reason: 'not now' }, 'hold: not now'],
		[403, { decision: 'allow' }, 'hold: ORIGIN answers 403'],
		[401, { decision: 'allow' }, 'failed: ORIGIN answers 401'],
		[404, '', 'failed: ORIGIN answers 404'],
		[500, { decision: 'rollBack' }, 'failed: ORIGIN answers 500'],
		[503, { reason: 'x'.repeat(5_000) }, `failed: ${'x'.repeat(limits.hookTextChars)}…`],
	])('%i with %j: %s', async ([status, said, expected]) => {
		server.answer(typeof said === 'string' ? answerText(status, said) : answerJson(status, said))
		expect(await reasonOf(call())).toBe(expected.replace('ORIGIN', server.origin))
	})

	test('a redirect is not followed', async () => {
		server.answer(answerText(307, '', { location: `${elsewhere.origin}/` }))
		expect(await reasonOf(call())).toBe(`failed: ${server.origin} answers 307`)
		expect(elsewhere.request()).toBeNull()
	})

	test('one that is too large is none, and is not read to its end', async () => {
		server.answer(answerEndlessly)
		expect(await reasonOf(call())).toContain(`larger than ${limits.hookAnswerBytes} bytes`)
	})

	test.for<{ why: string; answer: Parameters<FigureServer['answer']>[0] }>([
		{ why: 'hangs', answer: () => undefined },
		{ why: 'begins and hangs', answer: (_, response) => void response.writeHead(200).write('{"decision"') },
	])('who $why is let go with the signal', async ({ answer }) => {
		server.answer(answer)
		expect(await reasonOf(call({}, AbortSignal.timeout(100)))).toMatch(/^failed: .* does not answer/)
	})

	test('who hangs up, or is not there, gives none', async () => {
		server.answer((_, response) => response.destroy())
		expect(await reasonOf(call())).toMatch(/^failed: .* does not answer/)
		const gone = await startFigureServer()
		await gone.close()
		const allowed = parseAllowedOrigins('hook-receivers', `${gone.origin}=tickets`)
		assert(allowed.ok, 'an origin is allowed')
		const secrets = { keys: async () => ({ ok: true as const, value: keys }) }
		const alone = createSendHook({ allowed: allowed.value, secrets, wallMs: () => nowMs })
		const answer = alone(hookCall({ url: gone.origin }), AbortSignal.timeout(10_000))
		expect(await reasonOf(answer)).toBe(`failed: ${gone.origin} does not answer (ECONNREFUSED)`)
	})

	test('so many are called at once and no more; the others are told', async () => {
		server.answer(() => undefined)
		const stop = new AbortController()
		const hanging = Array.from({ length: limits.hookCallsAtOnce }, () => call({}, stop.signal))
		expect(await reasonOf(call())).toBe(`failed: ${limits.hookCallsAtOnce} calls of hooks are under way already`)
		stop.abort()
		await Promise.all(hanging)
		server.answer(answerText(204, ''))
		expect(await call()).toEqual({ kind: 'allow' })
	})
})
