import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { type ProxyGroup, proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { createAdoption } from '#controller/adoption.ts'
import type { FleetPort } from '#controller/ports.ts'
import type { Proxy, Reported } from '#xds/fleet-view.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

const group: ProxyGroup = {
	identity: { mesh: 'apps', kind: 'virtualNode', name: 'A' },
	cohort: 'stable',
	capture: { mode: 'explicit', bind: '127.0.0.1', egressPort: 15001, app: { address: '127.0.0.1', port: null } },
	envoyMinor: '1.40',
	secrets: 'daemon',
}
const proxy = (instance: string): Proxy => ({
	key: `A#${instance}`,
	instance,
	zone: '',
	group,
	groupKey: proxyGroupKey(group),
})
const route = (version: string): Reported => ({ typeUrl: typeUrls.route, name: 'rds', version })

function setUp(store: 'proven' | 'unproven', reports: Record<string, Reported[]>) {
	const clock = createManualClock()
	const greeted: string[] = []
	const asked: string[] = []
	let inForce: string | null = 'git'
	const members: Proxy[] = []
	const fleet = { connected: () => members, reported: (key: string) => reports[key] ?? [] } as unknown as FleetPort
	const adoption = createAdoption({
		clock,
		fleet,
		store,
		isOurs: (_, { version }) => (inForce === null ? null : version === inForce),
		greet: ({ key }) => greeted.push(key),
		ask: (keys) => asked.push(...keys),
	})
	const arrive = (instance: string) => {
		members.push(proxy(instance))
		adoption.arrived(proxy(instance))
	}
	return {
		adoption,
		arrive,
		greeted,
		asked,
		clock,
		pass: (ms: number) => clock.advance(ms),
		setInForce: (version: string | null) => {
			inForce = version
		},
	}
}

describe('who is served by a daemon', () => {
	test('whose store knows what was served: everyone, at once', () => {
		const { arrive, greeted } = setUp('proven', { 'A#1': [route('other')] })
		arrive('1')
		expect(greeted).toEqual(['A#1'])
	})

	test('with an empty store: a proxy that holds nothing, when those that hold something have had time to come', () => {
		const { arrive, greeted, pass } = setUp('unproven', {})
		arrive('1')
		expect(greeted).toEqual([])
		pass(limits.adoptionWindowMs)
		expect(greeted).toEqual(['A#1'])
		arrive('2')
		expect(greeted, 'its group is served already').toEqual(['A#1', 'A#2'])
	})

	test('with an empty store: a proxy whose timer fires a moment early, as those of a system do', () => {
		const { arrive, greeted, clock, pass } = setUp('unproven', {})
		const { setTimer } = clock
		clock.setTimer = (delayMs, fire) => setTimer(Math.max(0, delayMs - 0.5), fire)
		arrive('1')
		pass(limits.adoptionWindowMs + 1)
		expect(greeted).toEqual(['A#1'])
	})

	test('with an empty store: a proxy that holds just what Git asks for', () => {
		const { arrive, greeted, asked, pass } = setUp('unproven', { 'A#1': [route('git')] })
		arrive('1')
		pass(limits.adoptionWindowMs)
		expect([greeted, asked]).toEqual([['A#1'], []])
	})

	test('with an empty store: nobody of a group in which one holds something else, until a person says so', () => {
		const { adoption, arrive, greeted, asked, pass } = setUp('unproven', { 'A#2': [route('half-way')] })
		arrive('1')
		arrive('2')
		pass(limits.adoptionWindowMs + limits.adoptionGraceMs)
		expect([greeted, asked]).toEqual([[], ['A#2']])
		arrive('3')
		expect(greeted).toEqual([])
		adoption.release()
		expect(greeted).toHaveLength(1)
		arrive('4')
		expect(greeted).toContain('A#4')
	})

	test('with an empty store and no Git yet: nobody, until there is something to compare with', () => {
		const { adoption, arrive, greeted, asked, pass, setInForce } = setUp('unproven', { 'A#1': [route('git')] })
		setInForce(null)
		arrive('1')
		pass(limits.adoptionWindowMs * 2)
		expect([greeted, asked]).toEqual([[], []])
		setInForce('git')
		adoption.applied()
		expect(greeted).toEqual(['A#1'])
	})
})
