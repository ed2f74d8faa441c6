import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { findHeldBack } from '#controller/held-back.ts'
import { isWaiting } from '#controller/settle.ts'
import { type ControllerState, initialState } from '#controller/state.ts'
import { stepController } from '#controller/step.ts'
import type { CoreEvent, TurnInput, TurnResult } from '#controller/turn.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { type Mesh, resourceId } from '#mesh/mesh.ts'
import { describeInForce } from '#rollout/describe-step.ts'
import type { FleetFacts } from '#rollout/fleet-facts.ts'
import { type Rollout, routesOf } from '#rollout/rollout.ts'
import { calm } from '../../fixtures/calm-fleet.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { turnInput } from '../../fixtures/turn-input.ts'

/** A calls B through a router; `change` adds to the mesh or replaces what has the same name. */
function meshOf(targets: Record<string, number>, ...change: BriefResource[]): Mesh {
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['b.local'] },
		...['B', 'Bv2', 'Bv3'].map((name): BriefResource => ({ kind: 'VirtualNode', name })),
		{ kind: 'VirtualRouter', name: 'B' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{ kind: 'Route', router: 'B', name: 'B', targets },
		...change,
	]
	return composeMesh(Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource])))
}

function read(mesh: Mesh, id = mesh.hash): CoreEvent {
	return { kind: 'read', info: { id, author: 'Ada', message: id, timeMs: 0 }, mesh, origins: 'o', warnings: [] }
}

/** Plays turns on a state, and keeps the meshes that they name. */
function play() {
	const meshes = new Map<string, Mesh>()
	let state: ControllerState = initialState
	function work(events: readonly CoreEvent[], facts: Partial<FleetFacts> = {}, change: Partial<TurnInput> = {}) {
		return stepController(state, turnInput({ events, meshes }, facts, change))
	}
	return {
		work,
		/** Works a turn out and takes it as done. */
		turn(events: readonly CoreEvent[], facts: Partial<FleetFacts> = {}, change: Partial<TurnInput> = {}): TurnResult {
			const result = work(events, facts, change)
			for (const mesh of result.newMeshes) meshes.set(mesh.hash, mesh)
			state = result.state
			return result
		},
		state: () => state,
		rollout: (): Rollout => state.rollouts.at(-1) as Rollout,
		applied: (): Mesh => meshes.get(state.applied ?? '') as Mesh,
	}
}

const alarm = (rollout: string): CoreEvent => ({
	kind: 'alarm',
	rollout,
	alarm: {
		kind: 'errors',
		by: 'shares',
		canary: 'mesh/apps/virtualNode/Bv2:80',
		proxy: 'p',
		counts: { canary: { requests: 40, errors: 40 }, baseline: { requests: 9, errors: 0 } },
	},
})

/** A rollout of Bv2 at its first step. */
function stepped() {
	const game = play()
	game.turn([read(meshOf({ B: 1 }))])
	game.turn([read(meshOf({ B: 0, Bv2: 100 }))])
	game.turn([])
	expect([game.rollout().step, game.rollout().phase.kind]).toEqual([0, 'stepping'])
	return game
}

describe('a way back', () => {
	test.for<{ why: string; event: (id: string) => CoreEvent }>([
		{ why: 'an alarm', event: alarm },
		{
			why: 'an abort',
			event: (rollout) => ({ kind: 'command', command: { kind: 'abort', rollout, actor: 'dana', reason: 'no' } }),
		},
	])('that begins with $why is not confirmed by ACKs of what was served before it', ({ event }) => {
		const game = stepped()
		game.turn([event(game.rollout().id)])
		expect(game.rollout().phase.kind, 'nothing of it has been published yet').toBe('rollingBack')
		game.turn([], { current: 1, pending: ['p2'] })
		expect(game.rollout().phase.kind).toBe('rollingBack')
		game.turn([])
		expect(['rolledBack', 'aborted']).toContain(game.rollout().phase.kind)
	})
})

test('the shares in force do not rise in the turn in which Git asks for others', () => {
	const game = play()
	game.turn([read(meshOf({ B: 1 }))])
	game.turn([read(meshOf({ B: 0, Bv2: 50, Bv3: 50 }))])
	const asked = [read(meshOf({ B: 0, Bv2: 20, Bv3: 80 }))]
	const forward = game.work(asked)
	expect(forward.wentBack).toBe(game.work(asked, {}, { forward: false }).wentBack)
	game.turn(asked)
	expect(describeInForce(game.rollout())).toBe('B 100 %')
})

describe('while the store does not answer', () => {
	const ask = (kind: 'abort' | 'promote', rollout: string): CoreEvent => {
		return { kind: 'command', command: { kind, rollout, actor: 'dana', reason: 'no' } }
	}

	test('an abort is carried out; what could get lost is refused', () => {
		const game = stepped()
		const failing = { forward: false, durable: false }
		const refused = game.turn([ask('promote', game.rollout().id)], {}, failing)
		expect(refused.replies).toMatchObject([{ kind: 'refused', code: 'NOT_DURABLE' }])
		expect(game.rollout().promotion).toBeNull()
		expect(game.turn([ask('abort', game.rollout().id)], {}, failing).replies).toMatchObject([{ kind: 'done' }])
		expect(game.rollout().phase.kind).toBe('rollingBack')
	})
})

describe('what failed once', () => {
	const worse = meshOf({ B: 0, Bv2: 100 })
	const other = meshOf({ B: 10, Bv2: 90 })

	/** Bv2 is taken back with the one share, and then with the other. */
	function failTwice() {
		const game = stepped()
		game.turn([alarm(game.rollout().id)])
		game.turn([])
		game.turn([read(other)])
		game.turn([])
		game.turn([alarm(game.rollout().id)])
		game.turn([])
		expect(game.state().rollouts.map(({ phase }) => phase.kind)).toEqual(['rolledBack', 'rolledBack'])
		return game
	}

	test.for([
		{ why: 'as it is', mesh: other },
		{ why: 'as it was before', mesh: worse },
	])('is not tried again when it is merged again, $why', ({ mesh }) => {
		const game = failTwice()
		game.turn([read(meshOf({ B: 1 }), 'reverted')])
		game.turn([read(mesh, 'again')])
		expect(game.state().rolloutCount).toBe(2)
	})

	test('is tried again when a person says so, with a reason', () => {
		const game = failTwice()
		const command = { kind: 'retry', rollout: game.rollout().id, actor: 'dana', reason: 'mended' } as const
		expect(game.turn([{ kind: 'command', command }]).replies).toMatchObject([{ kind: 'done' }])
		expect([game.state().rolloutCount, game.state().quarantine]).toEqual([3, []])
	})
})

describe('what both ends would have to change at once', () => {
	const tcpAlone: BriefResource = { kind: 'VirtualNode', name: 'B', listeners: [{ protocol: 'tcp' }] }
	const moved = meshOf({ B: 1 }, tcpAlone)
	const accept = (revision: string): CoreEvent => {
		return {
			kind: 'command',
			command: { kind: 'accept', revision, rollout: '', actor: 'dana', reason: 'at night' } as never,
		}
	}

	test('is refused whole, with its place, until a person accepts it', () => {
		const game = play()
		game.turn([read(meshOf({ B: 1 }))])
		const origins = { 'mesh/apps/virtualNode/B': { '/spec': { file: 'b.yaml', line: 5, column: 1 } } }
		game.turn([read(moved, 'c2')], {}, { originsOf: () => origins })
		expect(game.state().refused).toMatchObject({
			info: { id: 'c2' },
			acceptable: true,
			diagnostics: [{ code: 'SL0416', file: 'b.yaml', line: 5, hint: expect.stringContaining('on another port') }],
		})
		expect(game.state().accepted?.mesh).not.toBe(moved.hash)
		expect(game.turn([accept('c2')]).replies).toMatchObject([{ kind: 'done' }])
		game.turn([read(moved, 'c2')])
		expect(game.state()).toMatchObject({ refused: null, accepted: { mesh: moved.hash } })
	})

	test('is no news in the commit after the one that a person accepted, while it waits', () => {
		const game = play()
		game.turn([read(meshOf({ B: 1 }))])
		game.turn([read(moved, 'c2')])
		game.turn([accept('c2')])
		// The node is a target of a route that is in force as it was: the change waits.
		game.turn([read(moved, 'c2')], {}, { forward: false })
		const next = meshOf({ B: 1 }, tcpAlone, { kind: 'VirtualNode', name: 'C' })
		game.turn([read(next, 'c3')], {}, { forward: false })
		expect(game.state()).toMatchObject({ refused: null, accepted: { mesh: next.hash } })
	})

	test('is no reason against taking back what was accepted last, and is one against bringing it again', () => {
		const game = play()
		const good = meshOf({ B: 1 })
		game.turn([read(good)])
		game.turn([read(moved, 'c2')])
		game.turn([accept('c2'), read(moved, 'c2')])
		expect(game.applied().hash).toBe(moved.hash)
		game.turn([read(good, 'c3')])
		expect(game.applied().hash).toBe(good.hash)
		expect(game.state().accepted?.warnings).toMatchObject([{ code: 'SL0416', severity: 'warning' }])
		game.turn([read(moved, 'c4')])
		expect(game.state().refused).toMatchObject({ info: { id: 'c4' }, acceptable: true })
	})

	test('does not concern the first revision', () => {
		const game = play()
		game.turn([read(moved)])
		expect(game.state()).toMatchObject({ refused: null, applied: moved.hash })
	})

	test('concerns a canary as soon as a rollout sends it traffic', () => {
		const game = stepped()
		const tcp: BriefResource = { kind: 'VirtualNode', name: 'Bv2', listeners: [{ protocol: 'tcp' }] }
		game.turn([read(meshOf({ B: 0, Bv2: 100 }, tcp), 'c3')])
		expect(game.state().refused?.diagnostics.map(({ code }) => code)).toEqual(['SL0416'])
	})

	test('is no reason against a way back: the listener goes when every proxy has left it', () => {
		const game = play()
		const good = meshOf({ B: 1 })
		const both: BriefResource = { kind: 'VirtualNode', name: 'B', listeners: [{}, { port: 8081 }] }
		game.turn([read(good)])
		game.turn([read(meshOf({ B: 0, 'B:8081': 1 }, both))])
		game.turn([])
		expect(game.rollout().step).toBe(0)
		const portsOf = () => {
			const node = game.applied().resources[resourceId.virtualNode('apps', 'B')]
			return node?.kind === 'VirtualNode' ? node.spec.listeners.map(({ port }) => port) : []
		}
		game.turn([read(good)], { current: 1 })
		game.turn([], { current: 1 })
		expect([game.rollout().phase.kind, portsOf()]).toEqual(['rollingBack', [80, 8081]])
		game.turn([])
		game.turn([])
		expect([game.rollout().phase.kind, portsOf()]).toEqual(['aborted', [80]])
	})
})

describe('what both ends must agree on, where a way through is known', () => {
	const secured: BriefResource = {
		kind: 'VirtualNode',
		name: 'B',
		listeners: [{ tls: { mode: 'STRICT', certificate: { kind: 'sds', secretName: 'b' }, validation: null } }],
	}
	const lags = { fleetLags: 'p2 have not ACKed yet' }
	const serverOf = ({ resources }: Mesh) => {
		const node = resources[resourceId.virtualNode('apps', 'B')]
		return node?.kind !== 'VirtualNode'
			? []
			: node.spec.listeners.map(({ port, tls }) => [port, tls?.mode ?? 'none', tls?.offered ?? true])
	}

	test('goes out in phases, each of which waits for the one before', () => {
		const game = play()
		game.turn([read(meshOf({ B: 1 }))])
		const wanted = meshOf({ B: 1 }, secured)
		game.turn([read(wanted)])
		expect(game.state().refused).toBeNull()
		expect(serverOf(game.applied())).toEqual([[80, 'PERMISSIVE', false]])
		const waiting = game.turn([], {}, lags)
		expect(serverOf(game.applied()), 'a server has not confirmed it').toEqual([[80, 'PERMISSIVE', false]])
		expect(waiting.settlement?.aim.phase).toBe('widen')
		expect(isWaiting(waiting.settlement), 'turns go on').toBe(true)
		game.turn([])
		expect(serverOf(game.applied())).toEqual([[80, 'PERMISSIVE', true]])
		game.turn([], {}, lags)
		expect(serverOf(game.applied()), 'a caller has not confirmed it').toEqual([[80, 'PERMISSIVE', true]])
		const last = game.turn([])
		expect(game.applied().hash).toBe(wanted.hash)
		expect(last.settlement?.aim.phase).toBe('whole')
	})

	test('goes back in any of them as soon as Git does', () => {
		for (const turns of [0, 1, 2]) {
			const game = play()
			const first = meshOf({ B: 1 })
			game.turn([read(first)])
			game.turn([read(meshOf({ B: 1 }, secured))])
			for (let turn = 0; turn < turns; turn += 1) game.turn([])
			game.turn([read(first, 'back')])
			for (let turn = 0; turn < 3; turn += 1) game.turn([])
			expect(game.applied().hash, `after ${turns} turns`).toBe(first.hash)
		}
	})

	test('weights that move to it in the same commit do so when it is as it is to be', () => {
		const game = play()
		game.turn([read(meshOf({ B: 1, Bv2: 1 }))])
		const canary: BriefResource = { ...secured, name: 'Bv2' } as BriefResource
		const wanted = meshOf({ B: 1, Bv2: 3 }, canary)
		game.turn([read(wanted)])
		const seen = [0, 1, 2, 3].map(() => {
			game.turn([])
			return game.state().rolloutCount
		})
		expect(game.state().rollouts.map(({ phase }) => phase.kind)).toEqual(['stepping'])
		expect(seen.filter((count) => count === 0).length).toBeGreaterThan(0)
		const node = resourceId.virtualNode('apps', 'Bv2')
		expect(game.applied().resources[node]).toEqual(wanted.resources[node])
	})

	test('a port moves: the new one is there first, then the weights go by a rollout, then the old one goes', () => {
		const game = play()
		game.turn([read(meshOf({ B: 1 }))])
		const wanted = meshOf({ 'B:8080': 1 }, { kind: 'VirtualNode', name: 'B', listeners: [{ port: 8080 }] })
		game.turn([read(wanted)])
		const ports = () => serverOf(game.applied()).map(([port]) => port)
		expect([ports(), game.state().rollouts]).toEqual([[80, 8080], []])
		game.turn([], {}, lags)
		expect(game.state().rollouts, 'a server has not confirmed it').toEqual([])
		game.turn([])
		expect(game.rollout().lanes[0].target.map(({ port }) => port)).toContain(8080)
		expect(ports()).toEqual([80, 8080])
		game.turn([alarm(game.rollout().id)])
		for (let turn = 0; turn < 3; turn += 1) game.turn([])
		expect([game.rollout().phase.kind, ports()], 'it failed there').toEqual(['rolledBack', [80, 8080]])
		expect(game.state().rolloutCount, 'and is not tried again').toBe(1)
	})
})

describe('of two commits, the one that follows', () => {
	const caller = (shows: 'shows' | 'shows nothing'): BriefResource => ({
		kind: 'VirtualNode',
		name: 'A',
		backends: [
			{
				service: 'b.local',
				clientTls: {
					enforce: true,
					ports: [],
					certificate: shows === 'shows' ? { kind: 'sds', secretName: 'a' } : null,
					validation: { trust: { kind: 'sds', secretName: 'ca' }, subjectAlternativeNames: [] },
				},
			},
		],
	})
	const server = (asks: 'asks' | 'asks nobody'): BriefResource => ({
		kind: 'VirtualNode',
		name: 'B',
		listeners: [
			{
				tls: {
					mode: 'STRICT',
					certificate: { kind: 'sds', secretName: 'b' },
					validation:
						asks === 'asks' ? { trust: { kind: 'sds', secretName: 'ca' }, subjectAlternativeNames: [] } : null,
				},
			},
		],
	})
	const first = meshOf({ B: 1 }, caller('shows nothing'), server('asks nobody'))
	const widened = meshOf({ B: 1 }, caller('shows'), server('asks nobody'))
	const narrowed = meshOf({ B: 1 }, caller('shows'), server('asks'))
	const lags = { fleetLags: 'p2 have not ACKed yet' }

	function pushed() {
		const game = play()
		game.turn([read(first)], {}, lags)
		expect(game.applied().hash, 'nothing is delayed on an empty state').toBe(first.hash)
		game.turn([])
		game.turn([read(widened)])
		expect(game.applied().hash).toBe(widened.hash)
		return { game, held: game.turn([read(narrowed)], {}, lags) }
	}

	test('is not in force before every proxy holds the first, and is in the turn in which they do', () => {
		const { game, held } = pushed()
		const view = { ...game, state: game.state(), settlement: held.settlement, durable: true }
		const meshes = new Map([widened, narrowed].map((mesh) => [mesh.hash, mesh]))
		expect(findHeldBack({ ...view, meshes })).toEqual([
			{
				code: null,
				kind: 'replace',
				resource: resourceId.virtualNode('apps', 'B'),
				reason: 'until every expected proxy holds what is in force: p2 have not ACKed yet',
			},
		])
		game.turn([], {}, lags)
		expect(game.applied().hash).toBe(widened.hash)
		game.turn([])
		expect(game.applied().hash).toBe(narrowed.hash)
	})

	test('gives way to a revert, to the first commit or to what was before it, while a proxy lags', () => {
		for (const back of [widened, first]) {
			const { game } = pushed()
			game.turn([read(back, 'back')], {}, lags)
			expect([game.applied().hash, game.state().refused]).toEqual([back.hash, null])
		}
	})

	test('is no news to a fleet that holds the first already, though a proxy has left since', () => {
		const game = play()
		game.turn([read(first)])
		game.turn([read(widened)])
		game.turn([])
		game.turn([read(narrowed)], {}, { fleetLags: 'p2 are expected back' })
		expect(game.applied().hash).toBe(narrowed.hash)
	})

	test('is not judged against what was before and is applied again', () => {
		const { game } = pushed()
		game.turn([read(first, 'back')], {}, lags)
		expect(game.state().mayStillHold).toEqual([widened.hash])
	})

	test('is judged against no more than a few of those before, the oldest among them', () => {
		const game = play()
		game.turn([read(first)])
		game.turn([read(widened)])
		for (const name of ['C', 'D', 'E', 'F', 'G'])
			game.turn(
				[read(meshOf({ B: 1 }, caller('shows'), server('asks nobody'), { kind: 'VirtualNode', name }))],
				{},
				lags,
			)
		expect(game.state().mayStillHold).toHaveLength(limits.meshesStillHeld)
		game.turn([read(narrowed)], {}, lags)
		expect(game.state().mayStillHold?.[0]).toBe(first.hash)
		const kept = game.applied().resources[resourceId.virtualNode('apps', 'B')]
		expect(kept).toEqual(widened.resources[resourceId.virtualNode('apps', 'B')])
	})
})

test('a commit that added much can be taken back, though that deletes much', () => {
	const game = play()
	const good = meshOf({ B: 1 })
	const many = ['D', 'E', 'F', 'G'].map((name): BriefResource => ({ kind: 'VirtualNode', name }))
	game.turn([read(good)])
	game.turn([read(meshOf({ B: 0, Bv2: 100 }, ...many))])
	game.turn([])
	game.turn([read(good, 'back')])
	expect([game.rollout().phase.kind, game.state().refused]).toEqual(['rollingBack', null])
	expect(game.state().accepted?.warnings).toMatchObject([{ code: 'SL0004', severity: 'warning' }])
})

describe('what was served whole', () => {
	test('is what was applied when nothing waited, until what came after it is served whole too', () => {
		const game = play()
		const first = meshOf({ B: 1 })
		game.turn([read(first)])
		const waiting = { isWhole: false }
		const second = meshOf({ B: 1 }, { kind: 'VirtualNode', name: 'C' })
		game.turn([read(second)])
		game.turn([], {}, waiting)
		expect([game.applied().hash, game.state().servedWhole]).toEqual([second.hash, first.hash])
		game.turn([])
		expect(game.state().servedWhole).toBe(second.hash)
	})
})

test('clusters of its own are not left for those that another rollout is judged by', () => {
	const game = play()
	const routeOf = (name: string, targets: Record<string, number>): BriefResource[] => [
		{ kind: 'VirtualRouter', name },
		{ kind: 'Route', router: name, name, targets },
		{ kind: 'VirtualService', name: `${name}.local`, router: name },
		{ kind: 'VirtualNode', name: `calls${name}`, backends: [`${name}.local`] },
	]
	game.turn([read(meshOf({ B: 1 }, ...routeOf('D', { Bv3: 1 })))])
	game.turn([read(meshOf({ B: 1, Bv2: 1 }, ...routeOf('D', { Bv3: 1, Bv2: 1 })))])
	const idOf = (name: string) => game.state().rollouts.find((rollout) => routesOf(rollout)[0]?.endsWith(name))?.id ?? ''
	const clonesOf = (name: string) => game.state().rollouts.find(({ id }) => id === idOf(name))?.clones
	const factsOf = ({ id }: Rollout): FleetFacts => ({ ...calm, sharedWith: id === idOf('/B') ? ['x'] : [] })
	const turn = (...events: CoreEvent[]) => game.turn(events, {}, { factsOf })
	const abort = (name: string) => {
		const command = { kind: 'abort', rollout: idOf(name), actor: 'ada', reason: 'r' } as const
		turn({ kind: 'command', command })
		turn()
	}
	turn()
	turn()
	expect([clonesOf('/B'), clonesOf('/D')]).toEqual(['routed', 'none'])
	abort('/B')
	turn()
	expect(clonesOf('/B')).toBe('routed')
	abort('/D')
	turn()
	turn()
	expect(clonesOf('/B')).toBe('none')
})
