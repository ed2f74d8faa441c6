import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { LooksAnswer } from '#api/api.ts'
import { renderReplay } from '#cli/replay-text.ts'
import { paintFor } from '#cli/terminal.ts'
import { replayLooks } from '#rollout/replay-looks.ts'

// Looks of rollouts over real Envoys, saved by `sluice rollout replay ID --save looks.json`: what was judged then is judged
// so for ever, with the same evidence. A change of said.txt is a change of the guard; `-u` writes it anew.

const folder = join(import.meta.dirname, 'replay')

test.for(globSync('*/looks.json', { cwd: folder }).map(dirname).sort())('%s', async (name) => {
	const { rollout, looks } = JSON.parse(readFileSync(join(folder, name, 'looks.json'), 'utf8')) as LooksAnswer
	const replay = replayLooks(looks)
	expect(replay.looks.filter(({ differs }) => differs)).toEqual([])
	expect([replay.end, replay.looks.length]).toEqual(['whole', looks.length])
	const said = renderReplay({ rollout, whatIf: {}, replay, other: null }, paintFor(false))
	await expect(`${said}\n`).toMatchFileSnapshot(join(folder, name, 'said.txt'))
})
