// Health checks, outlier detection and connection pools: what each takes out of the way, and what it leaves alone.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 33,
		apps: ['web', 'first', 'second', 'pooled', 'streams'],
		proxies: ['web', 'pooled', 'streams'],
		portNames: ['tcp'],
		mesh: services,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())

const host = (name: string) => `${name}.apps.local`
const names = ['checked', 'alone', 'ejecting', 'pooled', 'streams', 'lonely', 'all', 'half', 'returning']

function services(at: FeaturePlaces): string {
	const port = at.port()
	const endpoints = ['first', 'second'].map((name) => ({ address: at.appAddress(name) }))
	const serviceDiscovery = { static: { endpoints } }
	const healthCheck = {
		protocol: 'http',
		path: '/health',
		healthyThreshold: 2,
		unhealthyThreshold: 2,
		intervalMillis: 5000,
		timeoutMillis: 2000,
	}
	const outlierDetection = {
		maxServerErrors: 3,
		interval: { unit: 'ms', value: 100 },
		baseEjectionDuration: { unit: 's', value: 300 },
		maxEjectionPercent: 50,
	}
	const briefly = { unit: 'ms', value: 200 }
	return yamlOf([
		mesh(),
		node('web', [], {
			backends: [...names.map(host), { virtualServiceName: host('tcp'), egressPort: at.port('tcp') }],
		}),
		node('checked', [{ port, healthCheck }], { serviceDiscovery }),
		node('alone', [{ port, healthCheck: { ...healthCheck, path: '/alone' } }], {
			serviceDiscovery: { static: { endpoints: endpoints.slice(1) } },
		}),
		node('ejecting', [{ port, outlierDetection }], { serviceDiscovery }),
		node('lonely', [{ port, outlierDetection: { ...outlierDetection, maxEjectionPercent: 0 } }], {
			serviceDiscovery: { static: { endpoints: endpoints.slice(0, 1) } },
		}),
		node('all', [{ port, outlierDetection: { ...outlierDetection, maxEjectionPercent: 100 } }], { serviceDiscovery }),
		node('half', [{ port, outlierDetection }], { serviceDiscovery }),
		node('returning', [{ port, outlierDetection: { ...outlierDetection, baseEjectionDuration: briefly } }], {
			serviceDiscovery,
		}),
		node('pooled', [
			{ port, connectionPool: { http: { maxConnections: 1, maxPendingRequests: 1 } } },
			{ port: at.port('tcp'), protocol: 'tcp', connectionPool: { tcp: { maxConnections: 1 } } },
		]),
		// The same proxy on another port; a node of its own so that the service leads nowhere else.
		node('pooled-tcp', [{ port: at.port('tcp'), protocol: 'tcp' }], {
			serviceDiscovery: { dns: { hostname: host('pooled') } },
		}),
		service(host('tcp'), { node: 'pooled-tcp' }),
		node('streams', [{ port, protocol: 'http2', connectionPool: { http2: { maxRequests: 2 } } }]),
		...names.map((name) => service(host(name), { node: name })),
	])
}

const ask = (name: string, path = '/') => stage.ask('web', `http://${host(name)}${path}`)
const clusterOf = (name: string) => `cds_egress_apps_${name}_http_${stage.port()}`
async function gauge(name: string, what: string): Promise<number | undefined> {
	const counted = await stage.envoy('web').admin.stats(`^cluster\\.${clusterOf(name)}\\.${what}$`)
	return [...counted.values()][0]
}

/** Which apps answer, over so many requests. */
async function answerers(name: string, requests: number): Promise<Record<string, number>> {
	const counts: Record<string, number> = {}
	for (let sent = 0; sent < requests; sent += 1) {
		const { status, app } = await ask(name)
		const key = app === undefined || status !== 200 ? String(status) : app
		counts[key] = (counts[key] ?? 0) + 1
	}
	return counts
}

test('an unhealthy endpoint gets nothing, although half of them are; without a healthy one the answer is 503', async () => {
	let failed = 0
	const sick = (name: string) =>
		stage.app(name).script(({ path, answer }) => {
			if (path === '/health') failed += 1
			answer(path === '/health' || path === '/alone' ? 500 : 200, { 'x-app': name }, '')
		})
	await eventually('both are healthy', async () => (await gauge('checked', 'membership_healthy')) === 2)
	expect(Object.keys(await answerers('checked', 20)).sort()).toEqual(['first', 'second'])
	sick('second')
	await eventually('one is not', async () => (await gauge('checked', 'membership_healthy')) === 1)
	await eventually('of the other node none is', async () => (await gauge('alone', 'membership_healthy')) === 0)
	// As many as `unhealthyThreshold` says.
	expect(failed).toBe(2)
	// With Envoy's panic threshold of one half, a quarter of the fleet being ill would already be enough to spread over all.
	expect(await answerers('checked', 20)).toEqual({ first: 20 })
	expect(await answerers('alone', 3)).toEqual({ 503: 3 })
	for (const name of ['first', 'second']) {
		stage.app(name).script((exchange) => exchange.answer(200, { 'x-app': name }, ''))
	}
})

test('an endpoint with errors in a row is ejected, the others take its traffic', async () => {
	stage.app('second').script((exchange) => exchange.answer(500, { 'x-app': 'second' }, ''))
	const before = await answerers('ejecting', 20)
	expect(before[500]).toBe(3)
	await eventually('it is ejected', async () => (await gauge('ejecting', 'outlier_detection\\.ejections_active')) === 1)
	expect(await answerers('ejecting', 20)).toEqual({ first: 20 })
	stage.app('second').script((exchange) => exchange.answer(200, { 'x-app': 'second' }, ''))
})

test('no larger part than written is ejected, though one host always may be', async () => {
	const ejected = (name: string) => gauge(name, 'outlier_detection\\.ejections_active')
	for (const name of ['first', 'second']) stage.app(name).script((exchange) => exchange.answer(500, {}, ''))
	for (const name of ['all', 'half', 'lonely']) await answerers(name, 12)
	await eventually('both of two by 100 %', async () => (await ejected('all')) === 2)
	await eventually('one of one by 0 %', async () => (await ejected('lonely')) === 1)
	expect(await ejected('half')).toBe(1)
	for (const name of ['first', 'second'])
		stage.app(name).script((exchange) => exchange.answer(200, { 'x-app': name }, ''))
})

test('who was ejected comes back after the written time', async () => {
	stage.app('second').script((exchange) => exchange.answer(500, {}, ''))
	await answerers('returning', 12)
	const enforced = await gauge('returning', 'outlier_detection\\.ejections_enforced_total')
	expect(enforced).toBeGreaterThan(0)
	stage.app('second').script((exchange) => exchange.answer(200, { 'x-app': 'second' }, ''))
	const before = performance.now()
	await eventually('it is back', async () => (await gauge('returning', 'outlier_detection\\.ejections_active')) === 0)
	// Envoy's own interval is 10 s, and its shortest ejection 30 s.
	expect(performance.now() - before).toBeLessThan(5_000)
	// A change of health reaches Envoy's workers up to a second later.
	await eventually('it is asked again', async () => ((await answerers('returning', 10)).second ?? 0) > 0)
})

describe('a pool', () => {
	/** Holds requests until told to let go. */
	function holdAll(name: string): () => void {
		const held: (() => void)[] = []
		let open = false
		stage.app(name).script((exchange) => {
			const answer = () => exchange.answer(200, { 'x-app': name }, '')
			if (open) answer()
			else held.push(answer)
		})
		return () => {
			open = true
			for (const answer of held.splice(0)) answer()
		}
	}

	/** Sends so many requests at once; resolves with their statuses, when so many were refused and the others let go. */
	async function crowd(name: string, sent: number, refused: number): Promise<number[]> {
		const release = holdAll(name)
		let answered = 0
		const answers = Array.from({ length: sent }, async () => {
			const { status } = await ask(name)
			answered += 1
			return status
		})
		await eventually(`${refused} are answered while the others wait`, () => answered === refused)
		release()
		return (await Promise.all(answers)).sort()
	}

	test('of one connection with one waiting request refuses the third', async () => {
		// While the connection is being made, the request that it is made for counts as waiting.
		expect((await ask('pooled')).status).toBe(200)
		expect(await crowd('pooled', 6, 4)).toEqual([200, 200, 503, 503, 503, 503])
	})

	test('of two streams refuses the third', async () => {
		expect(await crowd('streams', 5, 3)).toEqual([200, 200, 503, 503, 503])
	})

	test('of one TCP connection closes the second', async () => {
		const first = await openTcp()
		expect(await first.ask()).toContain('200 OK')
		const second = await openTcp()
		expect(await second.ask()).toBe('closed')
		expect(await first.ask()).toContain('200 OK')
		first.end()
		await eventually('there is room again', async () => {
			const third = await openTcp()
			const answer = await third.ask()
			third.end()
			return answer.includes('200 OK')
		})
	})
})

/** A connection to the port of the backend; the app behind it answers HTTP as long as it lasts. */
async function openTcp(): Promise<{ ask(): Promise<string>; end(): void }> {
	const socket = connect(stage.port('tcp'), stage.proxyAddress('web'))
	socket.on('error', () => {})
	await once(socket, 'connect')
	const closed = new Promise<string>((resolve) => socket.once('close', () => resolve('closed')))
	return {
		ask() {
			const answer = new Promise<string>((heard) => socket.once('data', (bytes) => heard(bytes.toString())))
			socket.write('GET / HTTP/1.1\r\nhost: any\r\n\r\n')
			return Promise.race([answer, closed])
		},
		end: () => socket.destroy(),
	}
}
