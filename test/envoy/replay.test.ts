// What the guard judged over real Envoys is kept, and judged again alike by `sluice rollout replay`: of a canary that fails,
// and in the deep run of one that is slow, and of a healthy one. SLUICE_SAVE_LOOKS=DIR keeps the looks, which is how those
// of test/golden/replay were recorded.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LooksAnswer } from '#api/api.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { count } from '../depth.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

const answer = (status: number, delayMs: number, share = 1) =>
	({ sharePpm: share * 1_000_000, how: { kind: 'answer', status, delayMs } }) as const
const kinds = [
	{ service: 'failing', end: 'rollout.rolledBack', last: 'rollBack', behaves: answer(503, 0, 0.3) },
	{ service: 'slow', end: 'rollout.rolledBack', last: 'rollBack', behaves: answer(200, 300) },
	{ service: 'healthy', end: 'rollout.succeeded', last: 'advance', behaves: answer(200, 30) },
].slice(0, count(1, 3))
const saved = makeTempDirectory('looks')
let stage: Stage

beforeAll(async () => {
	stage = await openStage({
		block: 87,
		services: kinds.map(({ service }) => service),
		proxies: { 'front-1': 'front', 'front-2': 'front' },
		stepsPercent: [50],
		guards: '[{ kind: errors }, { kind: latency }]',
	})
	for (const { service, behaves } of kinds) {
		stage.app(`${service}1`).setFailure(answer(200, 30))
		stage.app(`${service}2`).setFailure(behaves)
	}
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
	saved[Symbol.dispose]()
})

test.for(kinds)('$service: $end, and the same again', { timeout: 180_000 }, async ({ service, end, last }) => {
	const { daemon } = stage
	for (const instance of ['front-1', 'front-2']) stage.sendLoad({ service, instance, ratePerSecond: 60 })
	const rollout = await stage.shift(service, { [`${service}1`]: 0, [`${service}2`]: 100 })
	const ended = await daemon.entry({ event: end, rollout })
	console.log(`${service}: ${ended.reason}`)
	const file = join(process.env.SLUICE_SAVE_LOOKS ?? saved.path, `${service}.json`)
	const said = await daemon.sluice('rollout', 'replay', rollout, '--save', file)
	expect(said).toMatch(/\d+ looks, each judged as it was$/m)
	const { looks } = JSON.parse(readFileSync(file, 'utf8')) as LooksAnswer
	expect(looks.at(-1)?.verdict).toBe(last)
	expect(looks.length).toBeGreaterThan(2)
	const bytes = Math.round(JSON.stringify(looks).length / looks.length)
	console.log(`${service}: ${looks.length} looks of ${bytes} bytes`)
	expect(await daemon.sluice('rollout', 'replay', '--file', file, '--tolerance', '50')).toMatch(
		/with tolerance 50: .*$/m,
	)
})
