import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findMoto } from '#lab/find-moto.ts'
import type { Machine } from '#lab/machine.ts'
import { motoVersion } from '#lab/moto-part.ts'
import { makeTempDirectory } from '#lab/temp.ts'

/** A machine whose python3 is this shell script; without one it has none. */
function machineWith(script: string | null) {
	const folder = makeTempDirectory('machine')
	const bin = join(folder.path, 'bin')
	mkdirSync(bin)
	if (script !== null) writeFileSync(join(bin, 'python3'), `#!/bin/sh\n${script}\n`)
	if (script !== null) chmodSync(join(bin, 'python3'), 0o755)
	const cache = join(folder.path, 'cache')
	const environment = { PATH: `${bin}:/usr/bin:/bin`, HOME: folder.path, SLUICE_CACHE: cache }
	const machine: Machine = { platform: 'linux', architecture: 'x64', environment }
	return { machine, cache, [Symbol.dispose]: folder.remove }
}

/** Says its version, and installs into the folder after --target. */
const python = (install: string) => `
if [ "$1" = -c ]; then echo cp311; exit; fi
while [ "$1" != --target ]; do shift; done
${install}`

test('fetched once into a folder of its own, and found there afterwards', async () => {
	using bare = machineWith(python('echo "$3" > "$2/moto.py"'))
	const lines: string[] = []
	const find = () => findMoto({ machine: bare.machine, onProgress: (line) => lines.push(line) })
	const path = join(bare.cache, `moto-${motoVersion}-cp311`)
	expect([await find(), await find()]).toEqual([
		{ ok: true, value: { path } },
		{ ok: true, value: { path } },
	])
	expect([lines.length, existsSync(join(path, 'moto.py')), readdirSync(bare.cache).length]).toEqual([1, true, 1])
})

test('nothing is left of a fetch that fails', async () => {
	using bare = machineWith(python('echo half > "$2/moto.py"; echo "no network" >&2; exit 1'))
	expect(await findMoto({ machine: bare.machine })).toEqual({
		ok: false,
		error: { code: 'fetch-failed', message: 'pip could not fetch moto: no network; mend that and try again' },
	})
	expect(readdirSync(bare.cache)).toEqual([])
})

test('without Python, or without pip, it says what to install', async () => {
	using bare = machineWith('echo "No module named pip" >&2; exit 1')
	expect(await findMoto({ machine: bare.machine })).toMatchObject({ ok: false, error: { code: 'no-python' } })
})
