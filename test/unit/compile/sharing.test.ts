import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { cloneClusterName, routedClusterName } from '#compile/clone-names.ts'
import { cloneProblem, sharingOf } from '#compile/sharing.ts'
import { resourceId } from '#mesh/mesh.ts'
import { type BriefResource, fixtureEffective, fixtureTarget } from '../../fixtures/mesh-fixture.ts'

const own = resourceId.route('apps', 'shop', 'own')
const other = resourceId.route('apps', 'desk', 'other')
const targets = [fixtureTarget('v2'), fixtureTarget('v1')]

function meshWith(...more: readonly BriefResource[]): BriefResource[] {
	return [
		{ kind: 'VirtualNode', name: 'web', backends: ['shop.local', 'desk.local', 'direct.local'] },
		{ kind: 'VirtualNode', name: 'v1' },
		{ kind: 'VirtualNode', name: 'v2' },
		{ kind: 'VirtualNode', name: 'x' },
		{ kind: 'VirtualService', name: 'shop.local', router: 'shop' },
		{ kind: 'VirtualRouter', name: 'shop' },
		{ kind: 'Route', name: 'own', router: 'shop', targets: { v1: 1, v2: 0 } },
		...more,
	]
}

const desk = (shares: Record<string, number>): BriefResource[] => [
	{ kind: 'VirtualService', name: 'desk.local', router: 'desk' },
	{ kind: 'VirtualRouter', name: 'desk' },
	{ kind: 'Route', name: 'other', router: 'desk', targets: shares },
]

describe('who else sends requests there', () => {
	test('nobody', () => {
		expect(sharingOf(fixtureEffective(meshWith(...desk({ x: 1, v2: 0 }))), [own], targets)).toEqual({
			now: [],
			soon: [],
		})
	})

	test('a route of another service that the same proxy calls', () => {
		expect(sharingOf(fixtureEffective(meshWith(...desk({ v2: 1 }))), [own], targets).now).toEqual([other])
	})

	test('of one mesh each is asked for itself: other routes, other targets, other shares', () => {
		const mesh = fixtureEffective(meshWith(...desk({ v2: 1 })))
		expect(sharingOf(mesh, [own], [fixtureTarget('v1')]).now).toEqual([])
		expect(sharingOf(mesh, [own], targets).now).toEqual([other])
		expect(sharingOf(mesh, [other], targets).now).toEqual([own])
		const splitOfOther = [{ ...fixtureTarget('v1'), sharePpm: 1_000_000 }]
		const moved = { ...mesh, moved: { [other]: splitOfOther } }
		expect(sharingOf(moved, [own], [fixtureTarget('v2')]).now).toEqual([])
		expect(sharingOf(moved, [own], [fixtureTarget('v1')]).now).toEqual([other])
	})

	test('a route of the same router', () => {
		const mesh = meshWith({ kind: 'Route', name: 'beside', router: 'shop', targets: { v1: 1 } })
		const beside = resourceId.route('apps', 'shop', 'beside')
		expect(sharingOf(fixtureEffective(mesh), [own], targets).now).toEqual([beside])
	})

	test('not one that is counted together with it; a stranger then is one to both', () => {
		const beside = resourceId.route('apps', 'shop', 'beside')
		const mesh = meshWith({ kind: 'Route', name: 'beside', router: 'shop', targets: { v1: 1 } })
		expect(sharingOf(fixtureEffective(mesh), [own, beside], targets)).toEqual({ now: [], soon: [] })
		const stranger = fixtureEffective([...mesh, ...desk({ v2: 1 })])
		expect(sharingOf(stranger, [own, beside], targets).now).toEqual([other])
	})

	test('a route of connections that only one capture mode carries', () => {
		const mesh = meshWith(
			{ kind: 'VirtualService', name: 'desk.local', router: 'desk' },
			{ kind: 'VirtualRouter', name: 'desk', listeners: [{ port: 5432, protocol: 'tcp' }] },
			{
				kind: 'Route',
				name: 'other',
				router: 'desk',
				targets: { v2: 1 },
				spec: { match: { kind: 'tcp', port: null } },
			},
			{ kind: 'VirtualNode', name: 'page', listeners: [{ port: 5432, protocol: 'http' }] },
			{ kind: 'VirtualService', name: 'page.local', node: 'page' },
		).map((each) =>
			each.kind === 'VirtualNode' && each.name === 'web'
				? { ...each, backends: ['shop.local', 'page.local', { service: 'desk.local', egressPort: 15_432 }] }
				: each,
		)
		expect(sharingOf(fixtureEffective(mesh), [own], targets).now).toEqual([other])
	})

	test('a service that a target provides itself', () => {
		const mesh = meshWith({ kind: 'VirtualService', name: 'direct.local', node: 'v2' })
		const direct = resourceId.virtualService('apps', 'direct.local')
		expect(sharingOf(fixtureEffective(mesh), [own], targets).now).toEqual([direct])
	})

	test('not one that only other proxies call', () => {
		const mesh = [
			...meshWith().filter(
				({ kind, name }: { kind: string; name?: string }) => kind !== 'VirtualNode' || name !== 'web',
			),
			...desk({ v2: 1 }),
			{ kind: 'VirtualNode', name: 'web', backends: ['shop.local'] } as const,
			{ kind: 'VirtualNode', name: 'clerk', backends: ['desk.local'] } as const,
		]
		expect(sharingOf(fixtureEffective(mesh), [own], targets).now).toEqual([])
	})

	test('a rollout that is to begin is told apart, and one with clones that its route leads to is none', () => {
		const mesh = meshWith(...desk({ x: 1 }))
		const prepared = { [other]: ['v2'] }
		expect(sharingOf(fixtureEffective(mesh, { prepared }), [own], targets)).toEqual({ now: [], soon: [other] })
		const splits = { [other]: { x: 500_000, v2: 500_000 } }
		const clones = (standing: 'beside' | 'routed') => ({ [other]: { targets: ['v2', 'x'], standing } })
		const withClones = (standing: 'beside' | 'routed') =>
			sharingOf(fixtureEffective(mesh, { prepared, splits, clones: clones(standing) }), [own], targets)
		expect(withClones('beside')).toEqual({ now: [other], soon: [] })
		expect(withClones('routed')).toEqual({ now: [], soon: [] })
	})
})

describe('clones', () => {
	const effective = (clones?: Parameters<typeof fixtureEffective>[1]) =>
		fixtureEffective(meshWith(...desk({ v2: 1 })), clones)
	const routeOf = (id: typeof own, mesh = effective()) => {
		const found = mesh.resources[id]
		if (found?.kind !== 'Route') throw new Error(`${id} is no route`)
		return found
	}

	test('are named after the route, without a dot or a colon', () => {
		const name = cloneClusterName(fixtureTarget('v2'), own, effective().resources)
		expect(name).toBe('cds_egress_apps_v2_http2_80_rollout_shop_own')
		expect(name).not.toMatch(/[.:]/)
	})

	test('are where the requests go only when the route leads to them', () => {
		const at = (standing: 'beside' | 'routed') =>
			routedClusterName(fixtureTarget('v2'), own, effective({ clones: { [own]: { targets: ['v2'], standing } } }))
		expect([at('beside'), at('routed')]).toEqual([
			'cds_egress_apps_v2_http2_80',
			'cds_egress_apps_v2_http2_80_rollout_shop_own',
		])
	})

	test('are shared by routes that are counted together', () => {
		const clones = { [own]: { targets: ['v2'], standing: 'routed', calledAfter: other } } as const
		expect(routedClusterName(fixtureTarget('v2'), own, effective({ clones }))).toBe(
			'cds_egress_apps_v2_http2_80_rollout_desk_other',
		)
	})

	test('are possible for requests, and for TCP not', () => {
		expect(cloneProblem(effective(), routeOf(own), targets)).toBe(null)
		const tcp = meshWith({ kind: 'Route', name: 'own', router: 'shop', targets: { v1: 1 }, spec: { protocol: 'tcp' } })
		const mesh = fixtureEffective(tcp)
		expect(cloneProblem(mesh, routeOf(own, mesh), targets)).toContain('TCP')
	})

	test('have no name that is too long, or taken', () => {
		const long = 'r'.repeat(limits.clusterNameChars)
		const mesh = fixtureEffective([
			...meshWith(),
			{ kind: 'Route', name: long, router: 'shop', targets: { v1: 1 } },
			{ kind: 'VirtualNode', name: 'v2_http2_80_rollout_shop' },
			{ kind: 'Route', name: 'http2_80', router: 'shop', targets: { v1: 1 } },
		])
		const problem = (name: string) => cloneProblem(mesh, routeOf(resourceId.route('apps', 'shop', name), mesh), targets)
		expect(problem(long)).toContain('characters')
		expect(problem('http2_80')).toContain('is taken')
	})
})
