// A server with its metrics receiver, and the part of a controller that publishes: who is in the mesh is served, and others
// are refused.

import { expect } from 'vitest'
import { limits } from '#base/limits.ts'
import type { Log, LogFields } from '#base/log.ts'
import { createMetricsReceiver } from '#telemetry/metrics-receiver.ts'
import { type Admission, createAdmission } from '#xds/admission.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { createXdsServer, type XdsServer, type XdsServerOptions } from '#xds/server.ts'
import { createManualClock, type ManualClock } from '../fakes/manual-clock.ts'
import { bytesInUse } from '../fixtures/cost.ts'
import { nodeOf } from './hostile-nodes.ts'
import { type Change, nextChange, servedMesh } from './served-mesh.ts'
import { createWitness, type Witness, type WitnessKind, type WitnessOptions, witnessKinds } from './witness.ts'

export type ServedWorld = {
	readonly clock: ManualClock
	readonly admission: Admission
	readonly server: XdsServer
	/** Proxies that do all by the book, one of each kind. */
	meetWitnesses(open: (kind: WitnessKind) => WitnessOptions['open']): readonly (readonly [WitnessKind, Witness])[]
	/** Serves or refuses who has come. */
	greet(): void
	change(): Change
	/** Lets pushes in batches, answers and progress come to rest. */
	settle(): Promise<void>
	/** Checks that nobody but the witnesses is here or missed; bytes that are in use then. */
	leftAlone(): Promise<number>
}

const slackOfLog = 2

export function createServedWorld(options: Partial<XdsServerOptions> = {}): ServedWorld {
	const clock = createManualClock()
	const log = boundedLog(clock)
	const admission = createAdmission()
	const arrived: Proxy[] = []
	const receiver = createMetricsReceiver({
		clock,
		log,
		wantsTimes: () => true,
		identify: (connection, node) => admission.identify(connection, node),
		emit({ clusters }) {
			for (const { completed, errors } of clusters.values()) {
				if (!Number.isFinite(completed + errors)) throw new Error('a count that is none')
			}
		},
	})
	const server = createXdsServer({
		clock,
		log,
		admission,
		services: [receiver.service],
		emit: (event) => void (event.kind === 'arrived' && arrived.push(event.proxy)),
		...options,
	})
	const groups = new Set<string>()
	let changes = 0
	let snapshot = servedMesh(0)
	let witnessCount = 0

	function greet(): void {
		for (const { group, groupKey } of arrived.splice(0)) {
			if (!group.identity.name.startsWith('service')) server.refuse(groupKey, 'not in the mesh')
			else if (!groups.has(groupKey)) {
				groups.add(groupKey)
				server.publish(groupKey, snapshot)
			}
		}
	}

	return {
		clock,
		admission,
		server,
		meetWitnesses(open) {
			witnessCount = witnessKinds.length
			return witnessKinds.map((kind) => {
				const instance = `witness-${kind.variant}-${kind.by}`
				const node = nodeOf('serviceA', instance)
				const key = `mesh/apps/virtualNode/serviceA#${instance}`
				return [kind, createWitness({ ...kind, node, key, snapshot, open: open(kind) })] as const
			})
		},
		greet,
		change() {
			changes += 1
			const change = nextChange(snapshot, changes)
			snapshot = change.snapshot
			for (const groupKey of groups) server.publish(groupKey, snapshot)
			return change
		},
		async settle() {
			for (let turn = 0; turn < 10; turn += 1) {
				greet()
				clock.advance(0)
				await new Promise((resolve) => setImmediate(resolve))
			}
		},
		async leftAlone() {
			clock.advance(limits.xdsGoneMs + 1)
			const views = [...server.fleet().values()]
			const sum = (of: (view: (typeof views)[number]) => number) => views.reduce((all, view) => all + of(view), 0)
			expect({
				connected: sum(({ connected }) => connected),
				expected: sum(({ expected }) => expected),
				rejections: views.flatMap(({ rejections }) => rejections),
			}).toEqual({ connected: witnessCount, expected: witnessCount, rejections: [] })
			// Of who is refused nothing is kept; a group that is served is the controller's to give up.
			expect(views.length).toBeLessThanOrEqual(groups.size)
			return bytesInUse()
		},
	}
}

/** Throws for more lines in a minute than the log is to be asked to take, and for one that is long. */
function boundedLog(clock: ManualClock): Log {
	let minute = -1
	let lines = 0
	const line = (event: string, fields: LogFields = {}) => {
		const now = Math.floor(clock.monotonicMs() / limits.repeatedLogMs)
		if (now !== minute) lines = 0
		minute = now
		lines += 1
		if (lines > slackOfLog * 2 * limits.repeatedLogSubjects) throw new Error(`too many lines, the last is ${event}`)
		if (JSON.stringify(fields).length > 5_000) throw new Error(`a long line of ${event}`)
	}
	return { debug: line, info: line, warn: line, error: line }
}
