// Users that are drawn, and not requests, behind real Envoys: at every proxy a user has the same version, by header as by
// cookie; who has the new one keeps it while its share rises; and when it is over nothing of it is left.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EnvoyVersion } from '#lab/parts.ts'
import { type CartStage, openCartStage, shop } from './fixtures/cart-stage.ts'
import { eventually } from './fixtures/eventually.ts'

const users = Array.from({ length: 300 }, (_, index) => `user-${index}`)
const url = `http://${shop}/`
const shares = [10, 30, 60]
const policy = {
	steps: shares.map((weight) => ({ weight, minDuration: '0s', gate: true })),
	bake: '0s',
	warmUp: '0s',
	unguarded: true,
	reason: 'the test is what guards it',
}
const byHeader = { ...policy, sticky: { header: 'X-User' } }
const byCookie = { ...policy, sticky: { cookie: 'session' } }

describe.for<{ version: EnvoyVersion; block: number }>([
	{ version: '1.40.0', block: 124 },
	{ version: '1.36.2', block: 125 },
])('Envoy $version', ({ version, block }) => {
	let cart: CartStage
	beforeAll(async () => {
		cart = await openCartStage({ block, policy: byHeader, envoyVersion: version, gateways: ['edge'] })
	}, 300_000)
	afterAll(() => cart?.[Symbol.asyncDispose]())

	async function confirmed(step: number): Promise<void> {
		await eventually(`step ${step} is confirmed`, () => cart.newest().step === step && cart.newest().confirmed)
	}

	async function nextStep(step: number): Promise<void> {
		await eventually('it waits for a person alone', () => cart.newest().holds.every(({ code }) => code === 'GATE'))
		await cart.command('approve')
		await confirmed(step)
	}

	type Headers = Readonly<Record<string, string>>
	const atNode = async (headers: Headers) => (await cart.stage.ask('web', url, { headers })).app
	const atGateway = async (headers: Headers) => (await cart.stage.dial('gateway:edge', url, { headers })).app

	/** Of each user, who answers at the node's proxy; it is the same at the gateway's. A few at a time. */
	async function appsOfUsers(headersOf: (user: string) => Headers): Promise<Map<string, string | undefined>> {
		const found = new Map<string, string | undefined>()
		for (let from = 0; from < users.length; from += 20) {
			const some = users.slice(from, from + 20)
			await Promise.all(
				some.map(async (user) => {
					const [app, again] = await Promise.all([atNode(headersOf(user)), atGateway(headersOf(user))])
					expect({ user, app: again }).toEqual({ user, app })
					found.set(user, app)
				}),
			)
		}
		return found
	}

	const withNew = (apps: ReadonlyMap<string, string | undefined>) => users.filter((user) => apps.get(user) === 'cart2')
	const appsOf = async (headers: Headers) => {
		const asked = await Promise.all(Array.from({ length: 40 }, () => atNode(headers)))
		return [...new Set(asked)].sort()
	}

	function explained(user: string) {
		const about = { proxy: 'mesh/apps/virtualNode/web', method: 'GET', url }
		const said = cart.stage.daemon.explain({ ...about, headers: [{ name: 'x-user', value: user }] })
		if (said.kind !== 'explained' || said.explained.outcome.kind !== 'forwarded') throw new Error(JSON.stringify(said))
		const action = said.explained.hops.at(-1)?.taken?.action
		return {
			to: said.explained.outcome.destinations
				.filter(({ sharePpm }) => sharePpm > 0)
				.map(({ virtualNode }) => virtualNode?.split('/').at(-1)),
			drawnBy: action?.kind === 'forward' ? action.drawnBy : null,
		}
	}

	test('by header: the same version everywhere, kept while its share rises, and taken back for all', async () => {
		await cart.shift({ cart: 0, cart2: 1 })
		let before: readonly string[] = []
		for (const [index, share] of shares.entries()) {
			if (index === 0) await confirmed(1)
			else await nextStep(index + 1)
			const apps = await appsOfUsers((user) => ({ 'x-user': user }))
			const now = withNew(apps)
			const expected = (users.length * share) / 100
			const deviation = Math.sqrt(expected * (1 - share / 100))
			expect(Math.abs(now.length - expected), `${now.length} of ${users.length} at ${share} %`).toBeLessThan(
				4 * deviation,
			)
			expect(before.filter((user) => !now.includes(user))).toEqual([])
			for (const user of users)
				expect(explained(user)).toMatchObject({ to: [apps.get(user)], drawnBy: { found: 'one' } })
			before = now
		}
		expect(await appsOf({})).toEqual(['cart', 'cart2'])
		await cart.command('abort')
		await eventually('it is back', () => cart.newest().phase === 'aborted')
		expect(withNew(await appsOfUsers((user) => ({ 'x-user': user })))).toEqual([])
		expect(explained('user-1')).toEqual({ to: ['cart'], drawnBy: null })
	}, 120_000)

	test('by cookie likewise, and by chance again when it has ended', async () => {
		await cart.shift({ cart: 1, cart2: 1 }, byCookie)
		await confirmed(1)
		const cookieOf = (user: string) => ({ cookie: `a=b; session=${user}`, 'x-user': 'the same of all' })
		const first = withNew(await appsOfUsers(cookieOf))
		expect(first.length).toBeGreaterThan(10)
		await nextStep(2)
		const second = withNew(await appsOfUsers(cookieOf))
		expect(first.filter((user) => !second.includes(user))).toEqual([])
		expect(second.length).toBeLessThan(users.length / 2)
		await cart.command('approve')
		await eventually('it is done', () => cart.newest().phase === 'succeeded')
		await cart.stage.settled()
		expect(await appsOf({ cookie: `session=${second[0]}` })).toEqual(['cart', 'cart2'])
	}, 120_000)
})
