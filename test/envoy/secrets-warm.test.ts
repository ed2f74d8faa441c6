// Whatever is done to clusters and listeners that name a secret, none of them waits for one that is known: at a real
// Envoy, in both variants of the protocol. Nothing here gives up waiting for what it names, so a wait is a hang.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { systemClock } from '#base/system-clock.ts'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { freePorts } from '#lab/ports.ts'
import { withDeadline } from '#lab/until.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import { count, seed } from '../depth.ts'
import { createAuthority, type Issued } from '../fixtures/certificates.ts'
import { endpoints, listener as plainListener, route, snapshotOf, staticCluster } from '../fixtures/resources.ts'
import { certificateSecret, tlsCluster, tlsListener } from '../fixtures/secret-resources.ts'
import type { Variant } from '../fixtures/xds-dialogue.ts'
import { eventually } from './fixtures/eventually.ts'
import { loneProxy } from './fixtures/lone-proxy.ts'

const host = '127.0.0.1'
const key = 'mesh/apps/virtualNode/serviceA#host-1'
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']
/** A wait has no end; this is only when the test gives up. */
const deadlineMs = 10_000

/** What is published, each by its variation; null: it is not there. */
type Wanted = {
	readonly eds: number | null
	readonly dns: number | null
	readonly listener: number | null
	/** Which certificate; null: nobody knows it. */
	readonly secret: 0 | 1 | null
}
const everything: Wanted = { eds: 0, dns: 0, listener: 0, secret: 0 }

describe.for(variants)('%s', (variant) => {
	let envoy: EnvoyProcess
	let server: XdsServer
	let groupKey: string
	let ports: Readonly<Record<'xds' | 'listener' | 'plain' | 'app', number>>
	let certificates: readonly Issued[]
	let told = () => {}

	async function startServing(): Promise<void> {
		server = createXdsServer({ clock: systemClock, log: silentLog, emit: () => told() })
		const listening = await server.listen(`${host}:${ports.xds}`)
		if (!listening.ok) throw new Error(listening.error.message)
	}

	function resourcesOf({ eds, dns, listener, secret }: Wanted): EncodedResource[] {
		const app = { host, port: ports.app }
		const named = (variation: number) => ({ secret: 'certificate', variation })
		const issued = secret === null ? undefined : certificates[secret]
		return [
			// With these the proxy is in use whatever else goes.
			staticCluster('plain', app),
			plainListener('plain', { host, port: ports.plain }, 'plain'),
			route('plain', { plain: 1 }),
			...(eds === null ? [] : [tlsCluster('eds', 'eds', named(eds)), endpoints('eds', app)]),
			...(dns === null ? [] : [tlsCluster('dns', { ...app, host: 'localhost' }, named(dns))]),
			...(listener === null
				? []
				: [tlsListener('listener', { host, port: ports.listener }, { ...named(listener), cluster: 'plain' })]),
			...(issued === undefined ? [] : [certificateSecret('certificate', issued)]),
		]
	}

	function publish(wanted: Wanted, ...more: readonly EncodedResource[]): void {
		server.publish(groupKey, snapshotOf(...resourcesOf(wanted), ...more))
	}

	/** Looks with each event of the server. */
	async function seen(what: string, isSo: () => boolean): Promise<void> {
		const looked = new Promise<void>((resolve) => {
			told = () => {
				if (isSo()) resolve()
			}
			told()
		})
		await withDeadline(looked, { clock: systemClock, deadlineMs, what })
	}

	/** Envoy has ACKed all of it, has nothing that is warming, and listens as it is told. */
	async function settles({ listener }: Wanted): Promise<void> {
		await seen('all is ACKed', () => server.isCurrent(key))
		expect(server.view(groupKey)?.rejections).toEqual([])
		expect(await envoy.admin.configDump('dynamic_warming_clusters')).toEqual([])
		await eventually('the listener is as it should be', async () => {
			const all = (await envoy.admin.configDump('dynamic_listeners')) as readonly ListenerDump[]
			const found = all.find(({ name }) => name === 'listener')
			if (found?.warming_state !== undefined) return false
			const active = JSON.stringify(found?.active_state ?? null)
			return listener === null ? active === 'null' : active.includes(`variation_${listener}`)
		})
	}

	async function serve(wanted: Wanted): Promise<void> {
		publish(wanted)
		await settles(wanted)
	}

	beforeAll(async () => {
		const found = await findEnvoy({ version: '1.40.0', onProgress: console.log })
		if (!found.ok) throw new Error(found.error.message)
		const [xds = 0, listener = 0, plain = 0, app = 0, egressPort = 0] = await freePorts(host, 5)
		ports = { xds, listener, plain, app }
		const authority = await createAuthority()
		certificates = await Promise.all(['one.local', 'two.local'].map((name) => authority.issue({ names: [name] })))
		const { version } = found.value
		const { group, bootstrap: content } = loneProxy({ host, xds, egressPort, variant, version })
		groupKey = proxyGroupKey(group)
		await startServing()
		publish(everything)
		envoy = await startEnvoy({ envoy: found.value.path, name: 'serviceA', bootstrap: { content } })
		await envoy.ready()
	}, 300_000)

	afterAll(async () => {
		await envoy?.[Symbol.asyncDispose]()
		await server?.close(100)
	})

	beforeEach(() => serve(everything))

	const changes: Readonly<Record<string, readonly Partial<Wanted>[]>> = {
		'clusters are modified': [{ eds: 1 }, { dns: 1 }, { eds: 2, dns: 2 }],
		'the listener is modified': [{ listener: 1 }, { listener: 2 }],
		'all are modified': [{ eds: 1, dns: 1, listener: 1 }],
		'the secret changes': [{ secret: 1 }],
		'all are modified, and the secret changes with them': [{ eds: 1, dns: 1, listener: 1, secret: 1 }],
		'one of two clusters goes, the other is modified': [{ eds: null, dns: 1, listener: null }],
		'clusters go and come back': [{ eds: null, dns: null }, {}],
		'the listener goes and comes back': [{ listener: null }, {}],
		'all that name the secret go, and come back': [{ eds: null, dns: null, listener: null }, {}],
		'they go and the secret with them, and come back with another': [
			{ eds: null, dns: null, listener: null, secret: null },
			{ secret: 1 },
		],
		'a cluster goes where a listener comes': [{ listener: null }, { eds: null, dns: null }],
	}
	test.for(Object.entries(changes))('%s', async ([, steps]) => {
		for (const step of steps) await serve({ ...everything, ...step })
	})

	test('a listener that asks for the secret in other words than the clusters', async () => {
		const at = { host, port: ports.listener }
		for (const variation of [1, 2]) {
			const hourMs = 3_600_000
			const other = tlsListener('listener', at, { secret: 'certificate', variation, waitMs: hourMs, cluster: 'plain' })
			publish({ ...everything, listener: null }, other)
			await settles({ ...everything, listener: variation })
			await serve({ ...everything, listener: null })
		}
	})

	test('changes that do not wait for each other', async () => {
		const random = seededRandom(seed())
		const pick = <Value>(...values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value
		for (let round = 0; round < count(60, 2_000); round += 1) {
			const secret = pick<0 | 1 | null>(0, 0, 1, 1, null)
			const wanted = { eds: pick(null, 0, 1), dns: pick(null, 0, 1), listener: pick(null, 0, 1), secret }
			publish(wanted)
			// What names a secret that nobody knows never settles.
			const next = secret === null ? 'at once' : pick('at once', 'after an ACK', 'settled')
			if (next === 'settled') await settles(wanted)
			if (next === 'after an ACK') await seen('clusters are ACKed', () => isAcked(typeUrls.cluster))
		}
		await serve(everything)
	})

	function isAcked(typeUrl: typeof typeUrls.cluster): boolean {
		return server.view(groupKey)?.types[typeUrl].pending === 0
	}

	test('a secret that nobody knows holds back what names it, alone, until it is known', async () => {
		const without = { ...everything, eds: null, dns: null, listener: null, secret: null }
		await serve(without)
		const other = staticCluster('other', { host, port: ports.app }, 2_000)
		publish({ ...everything, secret: null }, other)
		await seen('the other cluster is there', () => server.holds(key, typeUrls.cluster, 'other') === other.version)
		expect(['eds', 'dns'].map((name) => server.holds(key, typeUrls.cluster, name))).toEqual([null, null])
		expect(await envoy.admin.configDump('dynamic_warming_clusters')).toEqual([])
		await serve(everything)
	})

	test('a daemon that restarts, also in the middle of a change', async () => {
		const moved = { eds: 5, dns: 5, listener: 5, secret: 1 } as const
		for (const wanted of [everything, moved, { ...moved, eds: 6 }, everything]) {
			publish(wanted)
			await server.close(0)
			await startServing()
			await serve(wanted)
			await serve({ ...wanted, eds: 7, listener: 7 })
		}
	})
})

type ListenerDump = { readonly name: string; readonly active_state?: object; readonly warming_state?: object }
