// The discovery room against a Cloud Map that speaks AWS's own protocol.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Clock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { createAwsDirectory } from '#discovery/aws-directory.ts'
import { type CloudMapQuery, cloudMapKey } from '#discovery/discovered.ts'
import { type Discovery, openDiscovery } from '#discovery/discovery.ts'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import { type CloudMapUnderTest, namespace, openCloudMap } from './fixtures/cloud-map.ts'

const query = (attributes: Readonly<Record<string, string>> = {}, serviceName = 'web'): CloudMapQuery => ({
	kind: 'awsCloudMap',
	namespaceName: namespace,
	serviceName,
	attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
	ipPreference: null,
})

/** Polls, deadlines and pauses take a quarter of their time. */
const fastClock: Clock = { ...systemClock, setTimer: (delayMs, fire) => systemClock.setTimer(delayMs / 4, fire) }

let cloudMap: CloudMapUnderTest
let folder: TempDirectory
let discovery: Discovery

beforeAll(async () => {
	cloudMap = await openCloudMap()
})
afterAll(() => cloudMap[Symbol.asyncDispose]())

beforeEach(async () => {
	await cloudMap.reset()
	await cloudMap.createService()
	folder = makeTempDirectory('cloud-map')
	discovery = await open()
})
afterEach(async () => {
	await discovery.close()
	folder.remove()
})

function open(): Promise<Discovery> {
	return openDiscovery({
		stateDirectory: folder.path,
		certificates: null,
		clock: fastClock,
		random: Math.random,
		log: silentLog,
		changed() {},
	})
}

const addresses = (of = query()) =>
	discovery
		.current()
		.endpoints.get(cloudMapKey(of))
		?.map(({ ipv4 }) => ipv4)
const codes = () => discovery.troubles().map(({ code }) => code)

function seen(what: string, look: () => boolean): Promise<true> {
	return until({ clock: systemClock, deadlineMs: 40_000, what }, async () => (look() ? true : null))
}

test('instances with their zones; all attributes of a query must match', async () => {
	const { register } = cloudMap
	await register('one', { AWS_INSTANCE_IPV4: '10.0.0.1', AVAILABILITY_ZONE: 'eu-west-1a', version: '1', stage: 'live' })
	await register('two', { AWS_INSTANCE_IPV4: '10.0.0.2', version: '2', stage: 'live' })
	await register('three', { AWS_INSTANCE_IPV4: '10.0.0.3', version: '2', stage: 'test' })
	const queries = [query(), query({ stage: 'live' }), query({ stage: 'live', version: '2' }), query({ version: '3' })]
	discovery.follow({ queries, secrets: [] })
	await seen('all are answered', () => queries.every((one) => addresses(one) !== undefined))
	expect(queries.map(addresses)).toEqual([
		['10.0.0.1', '10.0.0.2', '10.0.0.3'],
		['10.0.0.1', '10.0.0.2'],
		['10.0.0.2'],
		[],
	])
	expect(discovery.current().endpoints.get(cloudMapKey(query()))?.[0]?.zone).toBe('eu-west-1a')
})

test('a change arrives, an outage changes nothing, and a daemon that starts in it knows the last endpoints', async () => {
	const { moto } = cloudMap
	await cloudMap.register('one', { AWS_INSTANCE_IPV4: '10.0.0.1' })
	discovery.follow({ queries: [query()], secrets: [] })
	await seen('the instance', () => addresses()?.length === 1)
	await cloudMap.register('two', { AWS_INSTANCE_IPV4: '10.0.0.2' })
	await seen('the second one', () => addresses()?.length === 2)
	await cloudMap.deregister('one')
	await seen('that the first has gone', () => addresses()?.length === 1)

	const before = discovery.current()
	moto.pause()
	await seen('that nothing answers', () => codes().includes('SL0501'))
	expect([addresses(), discovery.current() === before]).toEqual([['10.0.0.2'], true])
	await discovery.close()
	discovery = await open()
	discovery.follow({ queries: [query()], secrets: [] })
	expect(addresses()).toEqual(['10.0.0.2'])
	moto.resume()
	await moto.stop()
	await seen('that connections are refused', () => /ECONNREFUSED/.test(discovery.troubles()[0]?.message ?? ''))
	expect(addresses()).toEqual(['10.0.0.2'])

	// It comes back and has forgotten everything, which is no answer either.
	await moto.start()
	await seen('that it knows no such namespace', () => codes().includes('SL0502'))
	expect(addresses()).toEqual(['10.0.0.2'])
	await cloudMap.createService()
	await cloudMap.register('three', { AWS_INSTANCE_IPV4: '10.0.0.3' })
	await seen('what is registered now', () => addresses()?.[0] === '10.0.0.3')
	expect(codes()).toEqual([])
})

test('a namespace or a service that is not there', async () => {
	const missing = { ...query(), namespaceName: 'nowhere.local' }
	discovery.follow({ queries: [missing, query({}, 'nothing')], secrets: [] })
	await seen('both', () => codes().length === 2)
	expect(discovery.troubles().map(({ code, subject, message }) => [code, subject, message])).toEqual([
		['SL0502', 'Cloud Map nowhere.local/web', 'does not exist (NamespaceNotFound); nothing is known of it yet'],
		['SL0502', 'Cloud Map shop.local/nothing', 'does not exist (ServiceNotFound); nothing is known of it yet'],
	])
})

test('a question ends with its signal', async () => {
	cloudMap.moto.pause()
	const abort = new AbortController()
	const asked = createAwsDirectory().discover(query(), abort.signal)
	abort.abort()
	expect(await asked).toMatchObject({ kind: 'failed', reason: 'unreachable', name: 'AbortError' })
	cloudMap.moto.resume()
})
