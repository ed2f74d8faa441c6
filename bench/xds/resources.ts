import { writeFileSync } from 'node:fs'
import { assert } from '#base/assert.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { typeUrls } from '#compile/compiled.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { type Mesh, resourceId } from '#mesh/mesh.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import { perType } from '#xds/order.ts'
import { changing, fleetMesh } from './fleet-mesh.ts'
import { groupOf, type Identity, identityNames, nodeId } from './identity.ts'
import type { Held } from './load-stream.ts'
import { stepsOf } from './steps-of.ts'

// The same bytes for every server: what Sluice compiles of the mesh for each identity, and one of its route
// configurations with one weight in two forms.

/** As the file has it that servers of other kinds read: by node id. */
export type Dump = Readonly<Record<string, IdentityDump>>

type IdentityDump = {
	/** By type URL. */
	readonly types: Readonly<Record<string, readonly DumpedResource[]>>
	/** The route configuration that changes, as it is served in turn. */
	readonly changes: readonly DumpedResource[]
}

/** `value`: its bytes in base64. */
export type DumpedResource = { readonly name: string; readonly value: string }

export function readFleetMesh(services: number): Mesh {
	const files = Object.entries(fleetMesh(services)).map(([name, text]) => [name, Buffer.from(text)] as const)
	const read = readMesh(new Map(files))
	assert(read.kind === 'ok', 'the mesh of the bench is valid')
	return read.mesh
}

/** What is in force at a step of a rollout of the first service's route. */
export function atStep(mesh: Mesh, step: number): EffectiveMesh {
	return effectiveMesh(mesh, [rolloutAt(step)])
}

const rolloutAt = stepsOf({
	route: resourceId.route('bench', 'r0', 'route'),
	rising: { virtualNode: resourceId.virtualNode('bench', changing.canary), port: 8080 },
	falling: { virtualNode: resourceId.virtualNode('bench', changing.stable), port: 8080 },
})

/** Writes the dump to a file; returns what the proxies of each identity hold. */
export function dumpResources(services: number, file: string): Readonly<Record<Identity, Held>> {
	const mesh = readFleetMesh(services)
	const dump: Record<string, IdentityDump> = {}
	const held: Partial<Record<Identity, Held>> = {}
	for (const identity of identityNames) {
		const [first, second] = [snapshotOf(mesh, identity, 0), snapshotOf(mesh, identity, 1)]
		dump[nodeId(identity)] = {
			types: Object.fromEntries(
				[typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route].map((typeUrl) => [
					typeUrl,
					[...first.types[typeUrl].resources.values()].map(dumped),
				]),
			),
			changes: [changed(second, first), changed(first, second)].map(dumped),
		}
		held[identity] = heldOf(first)
	}
	writeFileSync(file, JSON.stringify(dump))
	return held as Record<Identity, Held>
}

export function heldOf({ types }: Snapshot): Held {
	return perType((typeUrl) => {
		const { version, resources } = types[typeUrl]
		return { version, resources: Object.fromEntries([...resources].map(([name, { version }]) => [name, version])) }
	})
}

function snapshotOf(mesh: Mesh, identity: Identity, round: number): Snapshot {
	const compiled = compileGroup(atStep(mesh, round), groupOf(identity), nothingDiscovered)
	assert(compiled !== null, 'the identity is in the mesh')
	return encodeSnapshot(compiled, null).snapshot
}

/** The one resource of `present` that is not as in `before`. */
function changed(present: Snapshot, before: Snapshot): EncodedResource {
	const [routes, others] = [present.types[typeUrls.route].resources, before.types[typeUrls.route].resources]
	const found = [...routes.values()].find(({ name, version }) => others.get(name)?.version !== version)
	assert(found !== undefined, 'one route configuration differs')
	return found
}

function dumped({ name, bytes }: EncodedResource): DumpedResource {
	return { name, value: Buffer.from(bytes).toString('base64') }
}
