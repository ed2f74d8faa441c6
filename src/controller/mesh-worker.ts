// The worker in which revisions are read: what one holds cannot take the daemon's time or memory. It reads one after the
// other, and says of each what it would say if it were the first.
import { parentPort } from 'node:worker_threads'
import { assert } from '#base/assert.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import { createReadMemory } from '#mesh/read-memory.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import { checkTimeZones } from './check-time-zones.ts'
import { answerOf, type ReadMesh } from './reading-answer.ts'
import type { WorkerTask } from './reading-worker.ts'

assert(parentPort !== null, 'this file is the start of a worker')
const port = parentPort
// What hostile keys could be made to leave in here would be met by every later reading.
for (const shared of [Object.prototype, Array.prototype, Map.prototype, Set.prototype]) Object.preventExtensions(shared)
const memory = createReadMemory()
let told: ReadMesh | null = null

port.on('message', (task: WorkerTask) => void answer(task))

async function answer(task: WorkerTask): Promise<void> {
	const outcome = await read(task)
	port.postMessage(outcome.kind === 'ok' ? answerOf(outcome, told) : outcome)
	if (outcome.kind === 'ok') told = outcome
}

async function read({ files, expectations }: WorkerTask): Promise<ReadOutcome> {
	const outcome = checkTimeZones(readMesh(files, memory), files)
	if (outcome.kind === 'refused' || outcome.expectations.length === 0 || expectations === 'leave') return outcome
	// Only then: compiler and protos take a moment to load.
	const { runExpectations } = await import('./run-expectations.ts')
	return runExpectations(outcome, files)
}
