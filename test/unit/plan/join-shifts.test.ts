import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { joinShifts, nameOfGroup } from '#plan/join-shifts.ts'
import type { Shift } from '#plan/plan.ts'
import { fixtureSplit, fixtureTarget } from '../../fixtures/mesh-fixture.ts'

const shift = (route: string, change: Partial<Shift> = {}): Shift => {
	const [router = '', name = ''] = route.split('/')
	return {
		kind: 'shift',
		route: resourceId.route('apps', router, name),
		before: fixtureSplit({ v1: 1_000_000 }),
		after: fixtureSplit({ v2: 1_000_000 }),
		rising: [fixtureTarget('v2')],
		falling: [fixtureTarget('v1')],
		unit: 'requests',
		policy: defaultRolloutPolicySpec,
		quarantineKey: route,
		...change,
	}
}

/** `shop: a, b; desk/a`. */
function joined(...shifts: readonly Shift[]): string {
	return joinShifts(shifts)
		.map((group) => {
			const names = group.shifts.map(({ quarantineKey }) => quarantineKey.slice(quarantineKey.indexOf('/') + 1))
			return names.length === 1 ? nameOfGroup(group) : `${nameOfGroup(group)}: ${names.join(', ')}`
		})
		.join('; ')
}

describe('routes are one rollout', () => {
	const half = { after: fixtureSplit({ v1: 500_000, v2: 500_000 }) }
	const other = { after: fixtureSplit({ v3: 1_000_000 }), rising: [fixtureTarget('v3')] }
	const policy = { ...defaultRolloutPolicySpec, match: { virtualRouter: 'shop', route: 'b' } }
	test.for<{ why: string; shifts: Shift[]; is: string }>([
		{ why: 'of one router towards the same targets', shifts: [shift('shop/b'), shift('shop/a')], is: 'shop: a, b' },
		{ why: 'whatever shares they go to', shifts: [shift('shop/a'), shift('shop/b', half)], is: 'shop: a, b' },
		{ why: 'not of two routers', shifts: [shift('shop/a'), shift('desk/a')], is: 'desk/a; shop/a' },
		{ why: 'not towards other targets', shifts: [shift('shop/a'), shift('shop/b', other)], is: 'shop/a; shop/b' },
		{
			why: 'not connections with requests',
			shifts: [shift('shop/a'), shift('shop/b', { unit: 'connections' })],
			is: 'shop/a; shop/b',
		},
		{ why: 'whichever policy says the same', shifts: [shift('shop/a'), shift('shop/b', { policy })], is: 'shop: a, b' },
		{
			why: 'not where a policy says something else',
			shifts: [shift('shop/a'), shift('shop/b', { policy: { ...policy, bakeMs: 1 } })],
			is: 'shop/a; shop/b',
		},
		{
			why: 'not where the policy splits',
			shifts: ['shop/a', 'shop/b'].map((route) => shift(route, { policy: { ...policy, group: 'split' } })),
			is: 'shop/a; shop/b',
		},
	])('$why', ({ shifts, is }) => {
		expect(joined(...shifts)).toBe(is)
		expect(joined(...shifts.toReversed())).toBe(is)
	})
})

test('what falls on any of them is the baseline of all', () => {
	const fromOld = { before: fixtureSplit({ v0: 1_000_000 }), falling: [fixtureTarget('v0')] }
	const [group] = joinShifts([shift('shop/a'), shift('shop/b', fromOld)])
	expect(group).toMatchObject({ rising: [fixtureTarget('v2')], falling: [fixtureTarget('v0'), fixtureTarget('v1')] })
})

test('more routes than fit into one are more rollouts, each of which knows of the others', () => {
	const names = Array.from({ length: limits.groupRoutes + 3 }, (_, index) => `shop/route-${10 + index}`)
	const groups = joinShifts(names.map((name) => shift(name)))
	expect(groups.map(({ shifts, overflow }) => [shifts.length, overflow])).toEqual([
		[limits.groupRoutes, 3],
		[3, limits.groupRoutes],
	])
})

test('neither long names nor many different shares make a rollout large', () => {
	const size = (groups: ReturnType<typeof joinShifts>) => groups.map(({ shifts }) => shifts.length)
	const long = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => shift(`shop/${name.repeat(200)}`))
	expect(size(joinShifts(long))).toEqual([4, 2])
	const different = [1, 2, 3, 4, 5, 6, 7].map((part) =>
		shift(`shop/${part}`, { after: fixtureSplit({ v1: part * 100_000, v2: 1_000_000 - part * 100_000 }) }),
	)
	expect(size(joinShifts(different))).toEqual([4, 3])
})
