// A daemon that is started again on a store with a mesh of 10,000 routes: what it takes until it serves. CPU time of the
// process since its start, Node's own start included.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '#base/assert.ts'
import { compileGroup } from '#compile/compile-group.ts'
import type { ProxyGroup } from '#compile/compiled.ts'
import { typeUrls } from '#compile/compiled.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { writeMesh } from '#mesh/write-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { fixtureEffective, fixtureMesh } from '../../test/fixtures/mesh-fixture.ts'
import { callerGroup, manyRoutes, tenThousandRoutes as size } from '../many-routes.ts'
import { runDaemon } from './daemon-process.ts'
import { openConnection } from './http2-call.ts'
import { nodeMessage } from './identity.ts'
import { openLoadStream, type Requests, requestsOf } from './load-stream.ts'
import { heldOf } from './resources.ts'
import { cpuSeconds } from './server-process.ts'

const documentsOfFile = 500

export type Restart = {
	readonly routes: number
	readonly groups: number
	/** Until it can be connected to. */
	readonly startedCpuMs: number
	/** Until a proxy has its routes. */
	readonly firstCpuMs: number
	/** Until a proxy of each group has them. */
	readonly allCpuMs: number
}

/** @param sluice the program */
export async function measureRestart(sluice: string): Promise<Restart> {
	using directory = makeTempDirectory('bench-restart')
	const [folder, state] = [join(directory.path, 'mesh'), join(directory.path, 'state')]
	const mesh = composeMesh(fixtureEffective(manyRoutes(size)).resources)
	writeFiles(mesh, folder)
	await using first = await runDaemon({ sluice, folder, state })
	await first.hearOf('mesh.applied')
	await first.stop()
	await using daemon = await runDaemon({ sluice, folder, state })
	await daemon.hearOf('daemon.started')
	const startedCpuMs = cpuSeconds(daemon.pid) * 1000
	// All that call have route configurations of the same names.
	const requests = requestsOf('delta', heldOf(snapshotOf(mesh, callerGroup(0))))
	await routesReach(0, daemon.port, requests)
	const firstCpuMs = cpuSeconds(daemon.pid) * 1000
	for (let caller = 1; caller < size.callers; caller += 1) await routesReach(caller, daemon.port, requests)
	const allCpuMs = cpuSeconds(daemon.pid) * 1000
	return { routes: size.routers * size.routesOfRouter, groups: size.callers, startedCpuMs, firstCpuMs, allCpuMs }
}

/** JSON is YAML. */
function writeFiles(mesh: Mesh, folder: string): void {
	mkdirSync(folder)
	const documents = writeMesh(mesh).map((document) => `${JSON.stringify(document)}\n`)
	for (let first = 0; first < documents.length; first += documentsOfFile) {
		const text = documents.slice(first, first + documentsOfFile).join('---\n')
		writeFileSync(join(folder, `part-${first}.yaml`), text)
	}
}

function snapshotOf(mesh: Mesh, group: ProxyGroup) {
	const intercepted: ProxyGroup = { ...group, capture: { mode: 'intercept' } }
	const compiled = compileGroup(effectiveMesh(mesh, []), intercepted, nothingDiscovered)
	assert(compiled !== null, 'the group is in the mesh')
	return encodeSnapshot(compiled, null).snapshot
}

/** A proxy of the caller comes, and stays until it was sent its routes. */
function routesReach(caller: number, port: number, requests: Requests): Promise<void> {
	const { name } = callerGroup(caller).identity
	const node = nodeMessage({ id: `mesh/${fixtureMesh}/virtualNode/${name}`, instance: `host-${caller}` })
	return new Promise((resolve, reject) => {
		const connection = openConnection({ port, tls: null, onEnd: (why) => reject(new Error(`${name}: ${why}`)) })
		const call = openLoadStream({
			connection,
			variant: 'delta',
			node,
			requests,
			comes: 'first',
			onReady() {},
			onResponse(typeUrl) {
				if (typeUrl !== typeUrls.route) return
				call.close()
				resolve()
			},
		})
	})
}
