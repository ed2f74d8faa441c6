// A mesh of 10,000 routes in which one weight changes, from the state to the first byte of the first proxy that is told,
// beside what encoding the one route configuration costs. Within one process, and without a transport. In CPU time.
import { assert } from '#base/assert.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { type ProxyGroup, proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { effectiveMesh } from '#controller/effective.ts'
import type { FleetPort } from '#controller/ports.ts'
import { createPublisher } from '#controller/publish.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { type Mesh, resourceId } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { encodeResource } from '#snapshot/encode-resource.ts'
import { createFleet, type Fleet } from '#xds/fleet.ts'
import { createFootingPool } from '#xds/footing.ts'
import { createXdsStream } from '#xds/stream.ts'
import { createSubscriptionPool } from '#xds/subscription.ts'
import { fixtureEffective, fixtureMesh, fixtureTarget } from '../../test/fixtures/mesh-fixture.ts'
import { seatOn } from '../../test/fixtures/seat-on.ts'
import { callerGroup, manyRoutes, tenThousandRoutes as size } from '../many-routes.ts'
import { ownCpuMs } from '../own-cpu-ms.ts'
import { median } from '../report.ts'
import { nodeOf } from './identity.ts'
import { type Held, readResponse, requestsOf } from './load-stream.ts'
import { heldOf } from './resources.ts'
import { stepsOf } from './steps-of.ts'

const steps = 40

export type FirstByte = {
	readonly routes: number
	readonly groups: number
	readonly stepCpuMs: number
	readonly encodeCpuMs: number
}

/** The middle of several steps. */
export function measureFirstByte(): FirstByte {
	const { resources } = fixtureEffective(manyRoutes(size))
	const mesh: Mesh = { resources, hash: '' }
	const fleet = createFleet({ clock: systemClock, emit() {} })
	const publisher = createPublisher({
		fleet: fleet as unknown as FleetPort,
		log: silentLog,
		discovered: () => nothingDiscovered,
	})
	const groups = Array.from({ length: size.callers }, (_, index) => callerGroup(index))
	const told = callerGroup(0)
	publisher.publish(effectiveMesh(mesh, [rolloutAt(0)]))
	for (const group of groups) publisher.greet(group, proxyGroupKey(group))
	const snapshot = publisher.snapshotOf(proxyGroupKey(told))
	assert(snapshot !== null, 'the group is served')
	const proxy = openProxy(fleet, told, heldOf(snapshot))
	proxy.accept()
	const [stepsCpuMs, encodesCpuMs]: [number[], number[]] = [[], []]
	for (let step = 1; step <= steps; step += 1) {
		const rollout = rolloutAt(step)
		const beganAt = ownCpuMs()
		const effective = effectiveMesh(mesh, [rollout])
		publisher.publish(effective)
		assert(proxy.sentAt() > beganAt, 'the proxy is told of each step')
		stepsCpuMs.push(proxy.sentAt() - beganAt)
		proxy.accept()
		encodesCpuMs.push(encodeCpuMs(effective, told))
	}
	return {
		routes: size.routers * size.routesOfRouter,
		groups: size.callers,
		stepCpuMs: median(stepsCpuMs),
		encodeCpuMs: median(encodesCpuMs),
	}
}

type Proxy = {
	/** When it was last told something: CPU time of this process, in ms. */
	sentAt(): number
	/** It accepts all that it was told, and is told what follows, until nothing more comes. */
	accept(): void
}

function openProxy(fleet: Fleet, group: ProxyGroup, held: Held): Proxy {
	const proxy = { key: 'proxy', instance: 'host', zone: '', group, groupKey: proxyGroupKey(group) }
	const requests = requestsOf('delta', held)
	const unanswered: Uint8Array[] = []
	let sentAt = Number.NaN
	const stream = createXdsStream({
		variant: 'delta',
		clock: systemClock,
		subscriptions: createSubscriptionPool(),
		footings: createFootingPool(),
		port: {
			send(message, flushed) {
				sentAt = ownCpuMs()
				unanswered.push(message)
				flushed()
			},
			end: ({ message }) => assert(false, message),
			...seatOn(fleet, proxy, () => stream),
			ignored() {},
		},
	})
	stream.receive(requests.first(typeUrls.cluster, nodeOf(0)))
	stream.receive(requests.first(typeUrls.listener, null))
	stream.receive(requests.first(typeUrls.route, null))
	return {
		sentAt: () => sentAt,
		accept() {
			for (let next = unanswered.shift(); next !== undefined; next = unanswered.shift())
				stream.receive(requests.ack(readResponse(Buffer.from(next))))
		},
	}
}

const rolloutAt = stepsOf({
	route: resourceId.route(fixtureMesh, 'r0', 'p0'),
	rising: fixtureTarget('v2'),
	falling: fixtureTarget('v1'),
})

/** Builds and writes the group's route configuration. */
function encodeCpuMs(effective: EffectiveMesh, group: ProxyGroup): number {
	const compiled = compileGroup(effective, group, nothingDiscovered) ?? []
	const routes = compiled.find(({ typeUrl, name }) => typeUrl === typeUrls.route && name.includes('egress'))
	assert(routes !== undefined, 'the group has egress routes')
	const beganAt = ownCpuMs()
	encodeResource(routes)
	return ownCpuMs() - beganAt
}
