import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { JournalEntry } from '#store/store.ts'
import { readScenario } from '../simulation/scenario.ts'
import { simulate } from '../simulation/world.ts'

// Lives of the simulator that were written down, and what was decided in each: the same life is decided in the same way for
// ever. A change of these files is a change of what Sluice does; `-u` writes them anew.

const folder = join(import.meta.dirname, 'replay')

test.for(globSync('*/life.json', { cwd: folder }).map(dirname).sort())('%s', async (name) => {
	const scenario = readScenario(readFileSync(join(folder, name, 'life.json'), 'utf8'))
	const lines: string[] = []
	const outcome = await simulate(scenario, (atMs, entry) => lines.push(lineOf(atMs, entry)))
	expect([outcome.violations, outcome.errors]).toEqual([[], []])
	await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(join(folder, name, 'decisions.txt'))
})

/** To the second, and without words for people: neither is a decision. */
function lineOf(atMs: number, { event, rollout, numbers }: JournalEntry): string {
	const { codes, split, from, to, by, step } = numbers
	const shares = from === undefined ? split : `${from} → ${to}`
	const parts = [event, rollout, step === undefined ? null : `step ${step}`, by, codes, shares]
	return [`${Math.round(atMs / 1000)} s`.padStart(6), ...parts.filter((part) => part !== null && part !== undefined)].join('  ')
}
