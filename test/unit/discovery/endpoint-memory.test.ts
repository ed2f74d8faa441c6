import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import type { Endpoint } from '#discovery/discovered.ts'
import { createEndpointMemory, endpointsFileName } from '#discovery/endpoint-memory.ts'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'

let folder: TempDirectory
let clock: ManualClock
beforeEach(() => {
	folder = makeTempDirectory('memory')
	clock = createManualClock()
})
afterEach(() => folder.remove())

const memoryIn = (directory = folder.path) => createEndpointMemory({ directory, clock, log: silentLog })
const file = () => join(folder.path, endpointsFileName)
const some = new Map<string, readonly Endpoint[]>([['["shop","web"]', [{ ipv4: '10.0.0.1', ipv6: null, zone: 'a' }]]])

test('what is written is read again', async () => {
	const memory = memoryIn()
	memory.save(some)
	await memory.close()
	expect(await memoryIn().load()).toEqual(some)
	expect([readdirSync(folder.path), statSync(file()).mode & 0o777]).toEqual([[endpointsFileName], 0o600])
})

test('changes that come together are written once, a while later', async () => {
	const memory = memoryIn()
	memory.save(new Map())
	memory.save(some)
	expect([existsSync(file()), clock.pendingMs()]).toEqual([false, [limits.endpointsFileDelayMs]])
	clock.advance(limits.endpointsFileDelayMs)
	await memory.close()
	expect(await memoryIn().load()).toEqual(some)
})

test.for([
	['', 'nothing'],
	['{"version":1,"endpo', 'half of it'],
	['{"version":2,"endpoints":{"k":[]}}', 'another version'],
	['[]', 'something else'],
	['{"version":1,"endpoints":{"k":[{"ipv4":"no address","ipv6":null,"zone":""}]}}', 'no address'],
	['{"version":1,"endpoints":{"k":[{"ipv4":null,"ipv6":null}]}}', 'no zone'],
] as const)('a file with %s is as none (%s)', async ([text]) => {
	writeFileSync(file(), text)
	expect(await memoryIn().load()).toEqual(new Map())
})

test('no file is no trouble', async () => {
	const memory = memoryIn(join(folder.path, 'nowhere'))
	expect([await memory.load(), memory.trouble()]).toEqual([new Map(), null])
})

test('where it cannot be written that is told, and tried again', async () => {
	const missing = join(folder.path, 'later')
	const memory = memoryIn(missing)
	memory.save(some)
	clock.advance(limits.endpointsFileDelayMs)
	await expect.poll(() => memory.trouble()).toMatchObject({ code: 'SL0510', subject: 'the file endpoints.json' })
	mkdirSync(missing)
	clock.advance(limits.endpointsFileRetryMs)
	await expect.poll(() => memory.trouble()).toBeNull()
	expect(readFileSync(join(missing, endpointsFileName), 'utf8')).toContain('10.0.0.1')
	await memory.close()
})
