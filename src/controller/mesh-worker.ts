// The worker in which a revision is read: what it holds cannot take the daemon's time or memory. One revision a worker.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#base/assert.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import { checkTimeZones } from './check-time-zones.ts'
import type { WorkerTask } from './read-in-worker.ts'

assert(parentPort !== null, 'this file is the start of a worker')
const { files, expectations } = workerData as WorkerTask
const outcome = checkTimeZones(readMesh(files), files)
if (outcome.kind === 'ok' && outcome.expectations.length > 0 && expectations === 'run') {
	// Only then: compiler and protos take a moment to load.
	const { runExpectations } = await import('./run-expectations.ts')
	parentPort.postMessage(runExpectations(outcome, files))
} else parentPort.postMessage(outcome)
