import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { count, seed } from '../depth.ts'
import { type BuiltSimulator, buildSimulator } from './break-source.ts'
import { breakages } from './breakages.ts'
import { runSimulation } from './run.ts'
import { readScenario } from './scenario.ts'

// Whether the simulator sees anything: the source is broken on purpose, and it must find it out by the invariant that is
// there for it. A life that does is written down; the deep run, and one whose life finds nothing any more, searches others.

const run = promisify(execFile)
const searched = count(300, 3_000)
const atOnce = 50
const built: BuiltSimulator[] = []

afterAll(() => {
	for (const { remove } of built) remove()
})

test('there are ten at least, each with a life that finds it out', () => {
	expect(breakages.length).toBeGreaterThanOrEqual(10)
	expect(new Set(breakages.map(({ name }) => name)).size).toBe(breakages.length)
	expect(breakages.filter(({ name }) => !existsSync(lifeOf(name)))).toEqual([])
})

test.for(breakages)('$name: it $does', { timeout: 3_600_000 }, async ({ name, ...breakage }) => {
	const broken = await buildSimulator({ name, ...breakage })
	built.push(broken)
	const found = await brokenBy(broken, ['--scenario', lifeOf(name)])
	if (found.includes(breakage.caughtBy) && count(0, 1) === 0) return
	for (let first = seed(); first < seed() + searched; first += atOnce) {
		const caught = await brokenBy(broken, ['--rollouts', `${atOnce}`, '--seed', `${first}`])
		if (!caught.includes(breakage.caughtBy)) continue
		console.log(`${name}: caught by one of the seeds ${first} … ${first + atOnce - 1}`)
		return
	}
	expect.fail(
		`not caught in ${searched} lives from seed ${seed()} on; the one written down breaks: ${found.join(', ')}`,
	)
})

test('where nothing is broken, those lives break nothing', { timeout: 600_000 }, async () => {
	for (const { name } of breakages) {
		const scenario = readScenario(readFileSync(lifeOf(name), 'utf8'))
		expect([name, (await runSimulation({ scenarios: [scenario] })).broken]).toEqual([name, {}])
	}
})

function lifeOf(name: string): string {
	return join(import.meta.dirname, 'breakages', `${name}.json`)
}

/** The invariants that these lives break. */
async function brokenBy({ program }: BuiltSimulator, flags: readonly string[]): Promise<string[]> {
	// It ends with 1 when it has found something.
	const { stdout } = await run(process.execPath, [program, ...flags], { maxBuffer: 1 << 26 }).catch(
		(error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
	)
	const { broken } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { broken: Record<string, number> }
	return Object.keys(broken)
}
