import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { createSpaceReserve, type SpaceReserve, writeWithReserve } from '#store/space-reserve.ts'
import type { StoreFailure } from '#store/store.ts'

let directory: string
let path: string
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'sluice-reserve-'))
	path = join(directory, 'sluice.reserve')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('the reserve takes real room, for its owner only', () => {
	const reserve = createSpaceReserve({ path, bytes: 65_536, log: silentLog })
	reserve.hold()
	expect(statSync(path).size).toBe(65_536)
	expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(65_536)
	expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('the reserve is released once', () => {
	const reserve = createSpaceReserve({ path, bytes: 4096, log: silentLog })
	reserve.hold()
	expect(reserve.release()).toBe(true)
	expect(existsSync(path)).toBe(false)
	expect(reserve.release()).toBe(false)
})

test('a reserve without room is told once, and once when it is back', () => {
	const told: string[] = []
	const tell = (event: string) => told.push(event)
	const log = { debug: tell, info: tell, warn: tell, error: tell }
	const home = join(directory, 'not-there')
	const reserve = createSpaceReserve({ path: join(home, 'sluice.reserve'), bytes: 4096, log })
	reserve.hold()
	reserve.hold()
	expect(told).toEqual(['store.reserve.missing'])
	mkdirSync(home)
	reserve.hold()
	reserve.hold()
	expect(told).toEqual(['store.reserve.missing', 'store.reserve.held'])
})

test('a write that finds no space is tried once more with the reserve', () => {
	const { reserve, steps } = recordingReserve('held')
	expect(writeWithReserve(failingFirst(1, 'full', steps), reserve)).toEqual({ ok: true, value: null })
	expect(steps).toEqual(['write', 'release', 'write'])
})

test('without a reserve, or when it is not enough, the failure stays', () => {
	const without = recordingReserve('spent')
	expect(writeWithReserve(failingFirst(1, 'full', without.steps), without.reserve)).toMatchObject({ ok: false })
	expect(without.steps).toEqual(['write', 'release'])
	const notEnough = recordingReserve('held')
	expect(writeWithReserve(failingFirst(2, 'full', notEnough.steps), notEnough.reserve)).toMatchObject({ ok: false })
	expect(notEnough.steps).toEqual(['write', 'release', 'write'])
})

test('another failure does not cost the reserve, and a success takes it again', () => {
	const { reserve, steps } = recordingReserve('held')
	const write = failingFirst(1, 'io', steps)
	expect(writeWithReserve(write, reserve)).toMatchObject({ ok: false, error: { code: 'io' } })
	expect(writeWithReserve(write, reserve)).toEqual({ ok: true, value: null })
	expect(steps).toEqual(['write', 'write', 'hold'])
})

function recordingReserve(room: 'held' | 'spent'): { reserve: SpaceReserve; steps: string[] } {
	const steps: string[] = []
	const reserve = {
		hold: () => void steps.push('hold'),
		release() {
			steps.push('release')
			return room === 'held'
		},
	}
	return { reserve, steps }
}

function failingFirst(failures: number, code: StoreFailure['code'], steps: string[]): () => Result<null, StoreFailure> {
	let left = failures
	return () => {
		steps.push('write')
		left -= 1
		return left < 0 ? succeed(null) : fail({ code, message: 'a fault' })
	}
}
