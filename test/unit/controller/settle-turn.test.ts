import { beforeEach, describe, expect, test } from 'vitest'
import { hashValue } from '#base/hash.ts'
import type { CommandReply, ControllerCommand } from '#controller/commands.ts'
import { findHeldBack } from '#controller/held-back.ts'
import { type ControllerState, initialState } from '#controller/state.ts'
import { stepController } from '#controller/step.ts'
import type { CoreEvent, TurnInput } from '#controller/turn.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { type Mesh, type Resource, resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { formatSplit, splitOfRoute } from '#plan/split.ts'
import { describeInForce } from '#rollout/describe-step.ts'
import type { FleetFacts } from '#rollout/fleet-facts.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { turnInput } from '../../fixtures/turn-input.ts'

// Several routes of one router that one commit shifts, turn by turn.

type Weights = Record<string, number>
type Routes = Readonly<Record<string, Weights>>
type More = { readonly group?: 'join' | 'split'; readonly hostname?: string }

const person = { actor: 'ada', reason: 'INC-7' }

/** A calls the router `shop`; its routes by name. */
function meshOf(routes: Routes, { group = 'join', hostname = 'v2.local' }: More = {}): Mesh {
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['shop.local'] },
		...['v1', 'v3'].map((name): BriefResource => ({ kind: 'VirtualNode', name })),
		{ kind: 'VirtualNode', name: 'v2', dns: { hostname } },
		{ kind: 'VirtualRouter', name: 'shop' },
		{ kind: 'VirtualService', name: 'shop.local', router: 'shop' },
		...Object.entries(routes).map(([name, targets]): BriefResource => {
			return { kind: 'Route', router: 'shop', name, targets }
		}),
	]
	const id = resourceId.rolloutPolicy('apps', 'default')
	const spec = { ...defaultRolloutPolicySpec, group }
	const about = { kind: 'RolloutPolicy', id, mesh: 'apps', name: 'default', tags: {}, spec } as const
	const policy: Resource = { ...about, hash: hashValue(about) }
	return composeMesh(
		Object.fromEntries([...briefs.map(fixtureResource), policy].map((resource) => [resource.id, resource])),
	)
}

const meshes = new Map<string, Mesh>()
let state: ControllerState = initialState
beforeEach(() => {
	meshes.clear()
	state = initialState
})

function turn(events: readonly CoreEvent[], facts: Partial<FleetFacts> = {}, change: Partial<TurnInput> = {}) {
	const result = stepController(state, turnInput({ events, meshes }, facts, change))
	for (const mesh of result.newMeshes) meshes.set(mesh.hash, mesh)
	state = result.state
	return result
}

function commit(routes: Routes, more: More = {}): void {
	const mesh = meshOf(routes, more)
	turn([
		{ kind: 'read', info: { id: mesh.hash, author: 'Ada', message: '', timeMs: 0 }, mesh, origins: 'o', warnings: [] },
	])
}

function ask(command: ControllerCommand): CommandReply | undefined {
	return turn([{ kind: 'command', command }]).replies[0]
}

const alarm = (rollout: string): CoreEvent => ({
	kind: 'alarm',
	rollout,
	alarm: {
		kind: 'errors',
		by: 'shares',
		canary: 'mesh/apps/virtualNode/v2:80',
		proxy: 'p',
		counts: { canary: { requests: 40, errors: 40 }, baseline: { requests: 9, errors: 0 } },
	},
})

/** `shop#1 stepping 0: v1 95 % · v2 5 %`; one line for each rollout. */
function told(): string[] {
	return state.rollouts.map((rollout) => {
		return `${rollout.id} ${rollout.phase.kind} ${rollout.step}: ${describeInForce(rollout)}`
	})
}

/** What is applied: the shares that Git would have to write. */
function applied(): Record<string, string> {
	const resources = meshes.get(state.applied ?? '')?.resources ?? {}
	const routes = Object.values(resources).filter((resource) => resource.kind === 'Route')
	return Object.fromEntries(routes.map((route) => [route.name, formatSplit(splitOfRoute(route))]))
}

const v1 = { v1: 1 }
const v2 = { v2: 1 }

/** Two routes at the first step of their one rollout. */
function stepped(): void {
	commit({ reads: v1, writes: v1 })
	commit({ reads: v2, writes: v2 })
	turn([])
	expect(told()).toEqual(['shop#1 stepping 0: v1 95 % · v2 5 %'])
}

function succeed(rollout: string): void {
	ask({ kind: 'promoteFull', rollout, ...person })
	for (let turns = 0; turns < 4; turns += 1) turn([])
	ask({ kind: 'promote', rollout, ...person })
	expect(told().at(-1)).toContain('succeeded')
}

test('routes that one commit shifts are one rollout, which ends for all of them', () => {
	stepped()
	succeed('shop#1')
	expect(told()).toEqual(['shop#1 succeeded 4: v2 100 %'])
	expect(applied()).toEqual({ reads: 'v2 100 %', writes: 'v2 100 %' })
})

test('a policy that splits gives each of them its own', () => {
	commit({ reads: v1, writes: v1 }, { group: 'split' })
	commit({ reads: v2, writes: v2 }, { group: 'split' })
	expect(state.rollouts.map(({ id }) => id)).toEqual(['shop/reads#1', 'shop/writes#2'])
})

test('a single route is called by its own name', () => {
	commit({ reads: v1, writes: v1 })
	commit({ reads: v2, writes: v1 })
	expect(state.rollouts.map(({ id }) => id)).toEqual(['shop/reads#1'])
})

describe('any alarm takes all back', () => {
	beforeEach(() => {
		stepped()
		turn([alarm('shop#1')])
		turn([])
		expect(told()).toEqual(['shop#1 rolledBack 0: v1 100 %'])
	})

	test('and none of them is tried again, whatever else changes', () => {
		commit({ reads: v2, writes: v2 })
		commit({ reads: v2, writes: v1 })
		commit({ reads: v2, writes: v2, more: v1 })
		expect(state.rollouts).toHaveLength(1)
		const view = { state, meshes, settlement: null, durable: true }
		expect(findHeldBack(view).map(({ resource, reason }) => [resource.split('/').at(-1), reason.slice(0, 33)])).toEqual(
			[
				['reads', 'in quarantine since rollout shop#1'.slice(0, 33)],
				['writes', 'in quarantine since rollout shop#1'.slice(0, 33)],
			],
		)
	})

	test('until the canary is another one: then all are', () => {
		commit({ reads: v2, writes: v2 }, { hostname: 'mended.local' })
		expect(told().at(-1)).toBe('shop#2 pending -1: v1 100 %')
	})

	test('or a person retries it, by the name of any of them', () => {
		expect(ask({ kind: 'retry', rollout: 'shop/writes#1', ...person })?.kind).toBe('done')
		turn([])
		expect(told().at(-1)).toContain('shop#2 ')
	})
})

// Rules, motion 4, for a rollout of `reads` and `writes` from v1 to v2 that stands at 5 %.
describe('a newer commit while it runs', () => {
	test.for<{ why: string; routes: Routes; more?: More; leads: readonly string[] }>([
		{
			why: 'the same: it goes on',
			routes: { reads: v2, writes: v2 },
			leads: ['shop#1 stepping 0: v1 95 % · v2 5 %'],
		},
		{
			why: 'other shares for all of them: the weights in force stay',
			routes: { reads: { v1: 1, v2: 1 }, writes: { v1: 1, v2: 1 } },
			leads: ['shop#1 stepping 0: v1 95 % · v2 5 %'],
		},
		{
			why: 'less than is in force for all of them: down at once',
			routes: { reads: { v1: 99, v2: 1 }, writes: { v1: 99, v2: 1 } },
			leads: ['shop#1 stepping 0: v1 99 % · v2 1 %'],
		},
		{
			why: 'other shares for one of them: their requests can no longer be counted together, so all go back first',
			routes: { reads: v2, writes: { v1: 1, v2: 1 } },
			leads: ['shop#1 aborted 0: v1 100 %', 'shop#2 stepping 0: reads: v1 95 % · v2 5 %; writes: v1 97.5 % · v2 2.5 %'],
		},
		{
			why: 'the old weights for one of them: all go back, the others begin anew',
			routes: { reads: v2, writes: v1 },
			leads: ['shop#1 aborted 0: v1 100 %', 'shop/reads#2 stepping 0: v1 95 % · v2 5 %'],
		},
		{
			why: 'the old weights for all of them: an abort',
			routes: { reads: v1, writes: v1 },
			leads: ['shop#1 aborted 0: v1 100 %'],
		},
		{
			why: 'another canary for one of them',
			routes: { reads: v2, writes: { v3: 1 } },
			leads: [
				'shop#1 aborted 0: v1 100 %',
				'shop/reads#2 stepping 0: v1 95 % · v2 5 %',
				'shop/writes#3 stepping 0: v1 95 % · v3 5 %',
			],
		},
		{
			why: 'another specification of the canary',
			routes: { reads: v2, writes: v2 },
			more: { hostname: 'other.local' },
			leads: ['shop#1 aborted 0: v1 100 %', 'shop#2 stepping 0: v1 95 % · v2 5 %'],
		},
		{
			why: 'a route more: nothing restarts',
			routes: { reads: v2, writes: v2, more: v1 },
			leads: ['shop#1 stepping 0: v1 95 % · v2 5 %'],
		},
		{
			why: 'one of them is deleted: all go back first',
			routes: { reads: v2 },
			leads: ['shop#1 aborted 0: v1 100 %', 'shop/reads#2 stepping 0: v1 95 % · v2 5 %'],
		},
	])('$why', ({ routes, more, leads }) => {
		stepped()
		commit(routes, more)
		expect(state.rollouts[0]?.phase.kind).toMatch(/stepping|rollingBack/)
		turn([])
		turn([])
		expect(told()).toEqual(leads)
		expect(state.quarantine).toEqual([])
	})

	test('of routes with different shares, as long as nothing has moved', () => {
		commit({ reads: v1, writes: v1 })
		commit({ reads: v2, writes: v2 })
		commit({ reads: v2, writes: { v1: 1, v2: 1 } })
		expect(told()).toEqual(['shop#1 pending -1: reads: v1 100 %; writes: v1 100 %'])
	})
})

test('what one of them waits for all wait for', () => {
	commit({ reads: v1, writes: v1 })
	ask({ kind: 'freeze', scope: { mesh: null, router: 'shop', route: 'writes' }, untilWallMs: null, ...person })
	commit({ reads: v2, writes: v2 })
	turn([])
	expect(told()).toEqual([])
	ask({ kind: 'unfreeze', scope: { mesh: null, router: 'shop', route: 'writes' }, ...person })
	turn([])
	expect(told()).toEqual(['shop#1 stepping 0: v1 95 % · v2 5 %'])
	ask({ kind: 'freeze', scope: { mesh: null, router: 'shop', route: 'reads' }, untilWallMs: null, ...person })
	turn([])
	expect(state.rollouts[0]?.holds.map(({ code }) => code)).toContain('FROZEN')
})

test('every command takes the name of any of them', () => {
	stepped()
	for (const rollout of ['shop#1', 'shop/reads#1', 'shop/writes#1', 'shop/writes']) {
		expect(ask({ kind: 'pause', rollout, ...person })).toMatchObject({ kind: 'done' })
		expect(ask({ kind: 'resume', rollout, ...person })).toMatchObject({ kind: 'done' })
	}
	for (const rollout of ['shop', 'shop/other#1', 'shop/writes#2'])
		expect(ask({ kind: 'pause', rollout, ...person })).toMatchObject({ code: 'NOT_FOUND' })
})

describe('a rollback of one of them', () => {
	const scope = { mesh: null, router: 'shop', route: 'writes' }
	const rollback = () => ask({ kind: 'rollback', scope, ...person })
	test('aborts the rollout of all', () => {
		stepped()
		expect(rollback()).toMatchObject({ kind: 'done', text: 'shop#1 goes back to v1 100 %' })
		turn([])
		expect(told()).toEqual(['shop#1 aborted 0: v1 100 %'])
	})

	test('takes all back that have succeeded, and none is tried again', () => {
		stepped()
		succeed('shop#1')
		expect(rollback()).toMatchObject({ kind: 'done', text: 'shop#1 is taken back to v1 100 %' })
		expect(applied()).toEqual({ reads: 'v1 100 %', writes: 'v1 100 %' })
		turn([])
		expect(told()).toEqual(['shop#1 rolledBack 4: v1 100 %'])
		commit({ reads: v2, writes: v2 })
		expect(state.rollouts).toHaveLength(1)
	})

	test('leaves alone what another rollout has moved since', () => {
		stepped()
		succeed('shop#1')
		commit({ reads: { v3: 1 }, writes: v2 })
		succeed('shop/reads')
		expect(rollback()).toMatchObject({ kind: 'done' })
		expect(applied()).toEqual({ reads: 'v3 100 %', writes: 'v1 100 %' })
	})
})
