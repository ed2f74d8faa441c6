import { beforeEach, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { createObservedFleet, type Observation, type ObservedFleet } from '#controller/observed-fleet.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { GroupView, Proxy, Rejection } from '#xds/fleet-view.ts'
import { createXdsServer } from '#xds/server.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'

let clock: ManualClock
let view: GroupView | null
let seen: Observation[]
let fleet: ObservedFleet
beforeEach(() => {
	clock = createManualClock()
	seen = []
	view = viewOf({ pending: 1 })
	const server = createXdsServer({ clock, log: silentLog, emit: () => undefined })
	fleet = createObservedFleet({
		server: { ...server, view: () => view },
		clock,
		emit: (observation) => void seen.push(observation),
	})
})

function viewOf({ pending = 0, connected = 2, rejections = [] as readonly Rejection[] }): GroupView {
	const types = Object.fromEntries(
		Object.values(typeUrls).map((type) => [type, { current: connected - pending, pending, rejected: 0 }]),
	) as GroupView['types']
	const group = {
		identity: { mesh: 'apps', kind: 'virtualNode', name: 'A' },
		cohort: 'stable',
		capture: { mode: 'intercept' },
		envoyMinor: '1.40',
		secrets: 'daemon',
	} as const
	return { group, connected, expected: connected, version: 'v', types, pending: [], gone: [], excluded: [], rejections }
}

const empty = { version: '', resources: new Map() }
const snapshot: Snapshot = {
	version: 'v',
	types: Object.fromEntries(Object.values(typeUrls).map((type) => [type, empty])) as Record<TypeUrl, typeof empty>,
}
const progress = () => fleet.observe({ kind: 'progressed', groupKey: 'g' })
const rejection = (version: string): Rejection => ({
	proxy: 'p',
	typeUrl: typeUrls.route,
	name: 'r',
	version,
	text: 'no',
})

test('a publication has converged when nobody is pending any more, and counts once', () => {
	fleet.port.publish('g', snapshot)
	clock.advance(40)
	progress()
	expect(seen).toEqual([])
	view = viewOf({})
	progress()
	progress()
	expect(seen).toEqual([{ kind: 'converged', afterMs: 40 }])
})

test('a group without proxies converges to nothing', () => {
	fleet.port.publish('g', snapshot)
	view = viewOf({ connected: 0 })
	progress()
	expect(seen).toEqual([])
})

test('each rejection counts once; the same proxy refusing other bytes counts again', () => {
	view = viewOf({ pending: 1, rejections: [rejection('1')] })
	progress()
	progress()
	view = viewOf({ pending: 1, rejections: [rejection('2')] })
	progress()
	expect(seen).toEqual([
		{ kind: 'rejected', type: 'route' },
		{ kind: 'rejected', type: 'route' },
	])
})

test('a group that is gone is forgotten', () => {
	view = viewOf({ pending: 1, rejections: [rejection('1')] })
	progress()
	view = null
	progress()
	view = viewOf({ pending: 1, rejections: [rejection('1')] })
	progress()
	expect(seen).toHaveLength(2)
})

test('knows who is connected in each group, also while one moves from one to another, and who of them counts', () => {
	const proxy = (name: string, groupKey: string): Proxy => {
		const { group } = viewOf({})
		return { key: name, instance: name, zone: '', group, groupKey }
	}
	const keysOf = (groupKey: string) => [...fleet.port.connected(groupKey)].map(({ key }) => key)
	for (const name of ['a', 'b', 'c']) fleet.observe({ kind: 'arrived', proxy: proxy(name, 'g') })
	fleet.observe({ kind: 'arrived', proxy: proxy('a', 'other') })
	fleet.observe({ kind: 'left', proxy: proxy('a', 'g') })
	expect([keysOf('g'), keysOf('other'), keysOf('unknown')]).toEqual([['b', 'c'], ['a'], []])
	fleet.port.exclude(new Set(['b']))
	expect([...fleet.port.counted('g')].map(({ key }) => key)).toEqual(['c'])
	expect(keysOf('g')).toEqual(['b', 'c'])
	for (const name of ['b', 'c']) fleet.observe({ kind: 'left', proxy: proxy(name, 'g') })
	expect(keysOf('g')).toEqual([])
})
