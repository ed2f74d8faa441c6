import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Exit } from '#cli/exit-codes.ts'
import { addReplay } from '#cli/replay.ts'

const golden = join(import.meta.dirname, '../../golden/replay/failing-on-envoys/looks.json')
let home: string

beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'sluice-replay-'))
})
afterEach(() => rmSync(home, { recursive: true }))

async function replay(...parameters: string[]): Promise<{ exit: Exit | null; out: string; talk: string }> {
	const said: { exit: Exit | null; out: string; talk: string } = { exit: null, out: '', talk: '' }
	const program = new Command().exitOverride()
	addReplay(program, {
		environment: {},
		version: '1',
		end: (exit: Exit) => {
			said.exit = exit
		},
		terminal: {
			out: (text: string) => {
				said.out += text
			},
			talk: (text: string) => {
				said.talk += text
			},
			isInteractive: false,
			color: { out: false, talk: false },
		},
	})
	await program.parseAsync(['replay', ...parameters], { from: 'user' })
	return said
}

test('what was saved is replayed without a daemon, and by another policy', async () => {
	const { exit, out } = await replay('--file', golden, '--tolerance', '50')
	expect(exit).toBe('ok')
	expect(out).toMatch(/rollBack, would be MORE_REQUESTS /)
	expect(out).toMatch(
		/failing\/failing#2: 7 looks, each judged as it was\nwith tolerance 50: does not go back in these looks; in 5 of the looks/,
	)
})

test('ends with a failure where today judges otherwise', async () => {
	const file = join(home, 'looks.json')
	writeFileSync(file, readFileSync(golden, 'utf8').replaceAll('"verdict":"rollBack"', '"verdict":"advance"'))
	const { exit, out } = await replay('--file', file)
	expect([exit, /advance, TODAY rollBack/.test(out)]).toEqual(['failed', true])
})

test('says in numbers what it says in words, and saves what it read', async () => {
	const file = join(home, 'again.json')
	const { out } = await replay('--file', golden, '--save', file, '-o', 'json')
	expect(JSON.parse(out)).toMatchObject({
		rollout: 'failing/failing#2',
		whatIf: {},
		other: null,
		replay: { end: 'whole' },
	})
	expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(readFileSync(golden, 'utf8')))
})

test.for([
	{ why: 'neither an id nor a file', given: () => [], exit: 'usage' },
	{ why: 'both', given: () => ['a#1', '--file', golden], exit: 'usage' },
	{ why: 'no such file', given: () => ['--file', join(home, 'none')], exit: 'badInput' },
	{
		why: 'a file of something else',
		given: () => {
			writeFileSync(join(home, 'x'), '[]')
			return ['--file', join(home, 'x')]
		},
		exit: 'badInput',
	},
	{
		why: 'looks of another format',
		given: () => {
			writeFileSync(join(home, 'x'), readFileSync(golden, 'utf8').replaceAll('"format":1', '"format":3'))
			return ['--file', join(home, 'x')]
		},
		exit: 'badInput',
	},
])('of $why nothing is replayed', async ({ given, exit }) => {
	const said = await replay(...given())
	expect([said.exit, said.out]).toEqual([exit, ''])
	expect(said.talk).toMatch(/^sluice: /)
})
