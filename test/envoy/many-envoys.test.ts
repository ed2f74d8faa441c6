// Many real Envoys of one group at the real server, with a mesh of some size: each step of a shift is ACKed by all of them.
// Then one is stopped, and steps go on: what it would have to be told costs no memory and nobody's time. When it goes on it
// is told what is in force then, and nothing of what came between.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { type CompiledResource, type ProxyGroup, proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { freePorts } from '#lab/ports.ts'
import { withDeadline } from '#lab/until.ts'
import { resourceId } from '#mesh/mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { GroupView } from '#xds/fleet-view.ts'
import { createXdsServer } from '#xds/server.ts'
import { count } from '../depth.ts'
import { bytesInUse } from '../fixtures/cost.ts'
import { type BriefResource, fixtureEffective } from '../fixtures/mesh-fixture.ts'
import { loneProxy } from './fixtures/lone-proxy.ts'

const envoyCount = count(6, 50)
const services = count(40, 100)
const startedAtOnce = 5
const steps = 50
const deadlineMs = count(60_000, 600_000)
const host = '127.0.0.1'
const mostBytesOfStopped = 1_000_000
const timesStopped = count(1, 3)

const nodeOf = (name: string, index: number): BriefResource => {
	const endpoints = [1, 2, 3].map((last) => ({ address: `127.9.${index % 250}.${last}`, port: 80 }))
	return {
		kind: 'VirtualNode',
		name,
		dns: null,
		discovery: { kind: 'static', endpoints },
	}
}
const serviceName = (index: number) => `s${index}.apps.local`
const mesh: readonly BriefResource[] = [
	{ kind: 'Mesh' },
	{
		kind: 'VirtualNode',
		name: 'serviceA',
		listeners: [],
		backends: Array.from({ length: services }, (_, index) => serviceName(index)),
	},
	...Array.from({ length: services }, (_, index): BriefResource[] => [
		nodeOf(`old-${index}`, index),
		nodeOf(`new-${index}`, index),
		{ kind: 'VirtualRouter', name: `r${index}` },
		{ kind: 'VirtualService', name: serviceName(index), router: `r${index}` },
		{ kind: 'Route', name: 'all', router: `r${index}`, targets: { [`old-${index}`]: 1, [`new-${index}`]: 1 } },
	]).flat(),
]

let group: ProxyGroup
let groupKey: string
let serving: Awaited<ReturnType<typeof startServing>>
const envoys: EnvoyProcess[] = []
let round = 0
let snapshot: Snapshot | null = null

async function startServing(port: number) {
	const watching = new Set<() => void>()
	const server = createXdsServer({
		clock: systemClock,
		log: silentLog,
		emit: () => {
			for (const look of [...watching]) look()
		},
	})
	const listening = await server.listen(`${host}:${port}`)
	if (!listening.ok) throw new Error(listening.error.message)

	/** Resolves at the event with which it is so. */
	function until(what: string, isSo: (view: GroupView) => boolean): Promise<void> {
		const seen = new Promise<void>((resolve) => {
			function look(): void {
				const view = server.view(groupKey)
				if (view === null || !isSo(view)) return
				watching.delete(look)
				resolve()
			}
			watching.add(look)
			look()
		})
		return withDeadline(seen, { clock: systemClock, deadlineMs, what })
	}
	return { server, until }
}

/** The next step of the first service's shift. */
function publishStep(): void {
	round += 1
	const share = (round % 1_000) * 1_000
	const splits = { [resourceId.route('apps', 'r0', 'all')]: { 'old-0': 1_000_000 - share, 'new-0': share } }
	const compiled = compileGroup(fixtureEffective(mesh, { splits }), group, nothingDiscovered)
	if (compiled === null) throw new Error('serviceA is in the mesh')
	snapshot = encodeSnapshot(compiled.map(sharingItsPort), snapshot).snapshot
	serving.server.publish(groupKey, snapshot)
}

/** Replicas of one group have hosts of their own, elsewhere; here all of them are on one. */
function sharingItsPort(resource: CompiledResource): CompiledResource {
	if (resource.typeUrl !== typeUrls.listener) return resource
	return {
		...resource,
		build() {
			const { schema, message } = resource.build()
			return { schema, message: { ...message, enableReusePort: true } as typeof message }
		},
	}
}

const haveAll = (view: GroupView) => Object.values(view.types).every(({ current }) => current === envoyCount)

/** Publishes steps one after the other, each once so many have ACKed the one before; how long each took, in ms, sorted. */
async function takeSteps(many: number, times: number): Promise<readonly number[]> {
	const tookMs: number[] = []
	for (let step = 0; step < times; step += 1) {
		const begun = performance.now()
		publishStep()
		await serving.until(`step ${step + 1} is ACKed by ${many}`, ({ types }) => types[typeUrls.route].current === many)
		tookMs.push(performance.now() - begun)
	}
	return tookMs.sort((left, right) => left - right)
}

function median(sorted: readonly number[]): string {
	const shown = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((ms = Number.NaN) => Math.round(ms))
	return `median ${shown[0]} ms, longest ${shown[1]} ms`
}

beforeAll(async () => {
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	const { path, version } = found.value
	const [xds = 0, egressPort = 0] = await freePorts(host, 2)
	const proxyOf = (index: number) => {
		const variant = index % 3 === 0 ? 'stateOfTheWorld' : 'delta'
		const { group, bootstrap } = loneProxy({ host, xds, egressPort, variant, version })
		bootstrap.node.metadata.sluice.instance = `host-${index}`
		// What they count is for others; here they are to be busy with what they are told alone.
		bootstrap.stats_sinks = []
		bootstrap.stats_config.stats_matcher.inclusion_list.patterns.push({ suffix: '.update_success' })
		return { group, content: bootstrap }
	}
	group = proxyOf(0).group
	groupKey = proxyGroupKey(group)
	serving = await startServing(xds)
	publishStep()
	const begun = performance.now()
	for (let index = 0; index < envoyCount; index += startedAtOnce) {
		const some = Array.from({ length: Math.min(startedAtOnce, envoyCount - index) }, (_, offset) => index + offset)
		const started = await Promise.all(
			some.map((each) =>
				startEnvoy({ envoy: path, name: `envoy-${each}`, bootstrap: { content: proxyOf(each).content } }),
			),
		)
		envoys.push(...started)
		await Promise.all(started.map((envoy) => envoy.ready(deadlineMs)))
	}
	console.log(`${envoyCount} Envoys of ${services} services started in ${Math.round(performance.now() - begun)} ms`)
}, 2 * deadlineMs)

afterAll(async () => {
	await Promise.all(envoys.map((envoy) => envoy[Symbol.asyncDispose]()))
	await serving?.server.close(100)
})

test('each step is ACKed by all; a stopped one delays none, costs next to nothing, and goes on with the newest', async () => {
	await serving.until('all hold what is served', haveAll)
	await takeSteps(envoyCount, 10)
	const atFirst = await bytesInUse()
	const together = await takeSteps(envoyCount, steps)
	const withAll = await bytesInUse()
	console.log(`all: ${median(together)}, ${withAll - atFirst} bytes more after ${steps} steps`)
	const [, stopped] = envoys
	if (stopped === undefined) throw new Error('there are more')
	const bytes: number[] = []
	for (let time = 0; time < timesStopped; time += 1) bytes.push(await takeStepsWithout(stopped))
	// The middle one: the test itself uses this process's memory too, which may disturb one measurement.
	expect(bytes.sort((left, right) => left - right)[Math.floor(timesStopped / 2)]).toBeLessThan(mostBytesOfStopped)
})

/** Stops it for some steps, and waits until it has caught up. How many bytes more are in use at the end of these steps. */
async function takeStepsWithout(stopped: EnvoyProcess): Promise<number> {
	const key = 'mesh/apps/virtualNode/serviceA#host-1'
	const updates = async () => await stopped.admin.stats('rds\\..*update_success')
	const before = await updates()
	const heldBefore = routesHeld(key)
	const bytesBefore = await bytesInUse()
	stopped.pause()
	const apart = await takeSteps(envoyCount - 1, steps)
	const more = (await bytesInUse()) - bytesBefore
	expect(routesHeld(key)).toEqual(heldBefore)
	stopped.resume()
	await serving.until('the one that goes on has caught up', haveAll)
	const after = await updates()
	const told = [...after].map(([name, value]) => value - (before.get(name) ?? 0)).filter((times) => times > 0)
	console.log(`one stopped: ${median(apart)}, ${more} bytes more; told of ${told} steps when it went on`)
	// What was on its way to it when it stopped, and what is in force.
	expect(told).toEqual([2])
	expect(routesHeld(key)).not.toEqual(heldBefore)
	return more
}

function routesHeld(key: string): readonly (string | null)[] {
	const names = [...(snapshot?.types[typeUrls.route].resources.keys() ?? [])]
	return names.map((name) => serving.server.holds(key, typeUrls.route, name))
}
