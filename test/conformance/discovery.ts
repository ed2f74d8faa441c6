import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DiscoveryPort } from '#controller/ports.ts'
import { type CloudMapQuery, cloudMapKey } from '#discovery/discovered.ts'
import { webQuery } from '../fakes/scripted-directory.ts'
import { createAuthority, type Issued } from '../fixtures/certificates.ts'

/** How the suite gets at the discovery it judges, and at what there is for it to find. */
export type DiscoveryUnderTest = {
	readonly discovery: DiscoveryPort
	/** Instances of a query are at these addresses from now on. */
	putInstances(query: CloudMapQuery, addresses: readonly string[]): void
	putSecret(name: string, pair: Issued): void
	dispose(): Promise<void>
}

/** What every discovery promises (controller/ports.ts), as tests. `open` is given what is to be called at a change. */
export function describeDiscovery(name: string, open: (changed: () => void) => Promise<DiscoveryUnderTest>): void {
	describe(`a discovery: ${name}`, () => {
		let subject: DiscoveryUnderTest
		let discovery: DiscoveryPort
		let changes: number
		let pairs: Issued[]

		beforeAll(async () => {
			const authority = await createAuthority()
			pairs = [await authority.issue({ names: ['web.local'] }), await authority.issue({ names: ['web.local'] })]
		})
		beforeEach(async () => {
			changes = 0
			subject = await open(() => {
				changes += 1
			})
			discovery = subject.discovery
		})
		afterEach(() => subject.dispose())

		const addresses = (query = webQuery) => {
			const found = discovery.current().endpoints.get(cloudMapKey(query))
			return found?.map(({ ipv4, ipv6, zone }) => `${ipv4} ${ipv6} ${zone}`)
		}
		const keyOf = (name: string) => discovery.current().secrets.get(name)?.certificate?.privateKey.trim()
		const until = (look: () => unknown) => expect.poll(look, { timeout: 20_000, interval: 10 })

		test('knows nothing at first, and is not troubled by that', () => {
			const { endpoints, secrets } = discovery.current()
			expect([endpoints.size, secrets.size, discovery.troubles(), changes]).toEqual([0, 0, [], 0])
		})

		test('finds what is wanted, tells it, and nothing else', async () => {
			subject.putInstances(webQuery, ['10.0.0.1', '10.0.0.2'])
			subject.putInstances({ ...webQuery, serviceName: 'other' }, ['10.0.0.3'])
			subject.putSecret('web', pairs[0] as Issued)
			subject.putSecret('other', pairs[1] as Issued)
			discovery.follow({ queries: [webQuery], secrets: ['web'] })
			await until(() => [addresses()?.length, keyOf('web')]).toEqual([2, pairs[0]?.privateKey.trim()])
			await until(() => changes).toBeGreaterThan(0)
			expect(addresses()).toEqual(['10.0.0.1 null ', '10.0.0.2 null '])
			expect([discovery.current().endpoints.size, discovery.current().secrets.size]).toEqual([1, 1])
		})

		test('a change is another object, and nothing else is', async () => {
			subject.putInstances(webQuery, ['10.0.0.1'])
			subject.putSecret('web', pairs[0] as Issued)
			discovery.follow({ queries: [webQuery], secrets: ['web'] })
			await until(() => [addresses()?.length, keyOf('web') === undefined]).toEqual([1, false])
			const before = discovery.current()
			discovery.follow({ queries: [{ ...webQuery }], secrets: ['web'] })
			expect(discovery.current()).toBe(before)
			subject.putInstances(webQuery, ['10.0.0.9'])
			subject.putSecret('web', pairs[1] as Issued)
			await until(() => [addresses(), keyOf('web')]).toEqual([['10.0.0.9 null '], pairs[1]?.privateKey.trim()])
			expect(discovery.current()).not.toBe(before)
			expect(before.endpoints.get(cloudMapKey(webQuery))?.[0]?.ipv4).toBe('10.0.0.1')
		})

		test('no instance is an answer, no answer is none', async () => {
			const silent = { ...webQuery, serviceName: 'silent' }
			subject.putInstances(webQuery, [])
			discovery.follow({ queries: [webQuery], secrets: ['nothing'] })
			await until(() => addresses()).toEqual([])
			expect([addresses(silent), discovery.current().secrets.size]).toEqual([undefined, 0])
		})
	})
}
