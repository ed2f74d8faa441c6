// The worker in which a revision is read: what it holds cannot take the daemon's time or memory. One revision a worker.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#base/assert.ts'
import { readMesh } from '#mesh/read-mesh.ts'

assert(parentPort !== null, 'this file is the start of a worker')
parentPort.postMessage(readMesh(workerData as ReadonlyMap<string, Uint8Array>))
