import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findPrometheus } from '#lab/find-prometheus.ts'
import type { Machine } from '#lab/machine.ts'
import { makeTempDirectory } from '#lab/temp.ts'

/** A machine whose programs are these shell scripts, besides a few of the system's own. */
function machineWith(scripts: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) {
	const folder = makeTempDirectory('machine')
	const bin = join(folder.path, 'bin')
	mkdirSync(bin)
	for (const [name, script] of Object.entries(scripts)) {
		writeFileSync(join(bin, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`)
		chmodSync(join(bin, name), 0o755)
	}
	const cache = join(folder.path, 'cache')
	const machine: Machine = {
		platform: 'linux',
		architecture: 'x64',
		environment: { PATH: bin, HOME: folder.path, SLUICE_CACHE: cache, BIN: bin, ...environment },
	}
	return { machine, bin, cache, [Symbol.dispose]: folder.remove }
}

const unpack = `mkdir -p "$3/usr/bin"; printf '#!/bin/sh\\nexit 0\\n' > "$3/usr/bin/prometheus"; chmod 755 "$3/usr/bin/prometheus"`

test('what is named comes first, then what is on the path; nothing is fetched', async () => {
	using named = machineWith({ mine: 'exit 0' })
	const machine = {
		...named.machine,
		environment: { ...named.machine.environment, PROMETHEUS_BIN: join(named.bin, 'mine') },
	}
	expect(await findPrometheus({ machine })).toEqual({ ok: true, value: { path: join(named.bin, 'mine') } })
	using installed = machineWith({ prometheus: 'exit 0' })
	expect(await findPrometheus({ machine: installed.machine })).toEqual({ ok: true, value: { path: 'prometheus' } })
	using wrong = machineWith({}, { PROMETHEUS_BIN: '/nowhere/prometheus' })
	expect(await findPrometheus({ machine: wrong.machine })).toMatchObject({ ok: false, error: { code: 'unusable' } })
})

test('the package is fetched once, unpacked, and found there afterwards', async () => {
	using bare = machineWith({ 'apt-get': '[ "$1" = download ] && touch prometheus_2.42.deb', dpkg: unpack })
	const lines: string[] = []
	const find = () => findPrometheus({ machine: bare.machine, onProgress: (line) => lines.push(line) })
	const path = join(bare.cache, 'prometheus', 'prometheus')
	expect([await find(), await find()]).toEqual([
		{ ok: true, value: { path } },
		{ ok: true, value: { path } },
	])
	expect([lines.length, existsSync(path), readdirSync(join(path, '..'))]).toEqual([1, true, ['prometheus']])
})

test('where the machine has no package lists, it brings lists of its own', async () => {
	using bare = machineWith({
		'apt-get': `
case "$*" in
"download -q prometheus") echo "E: Unable to locate package prometheus" >&2; exit 100 ;;
*"Dir::State::Lists="*" update -q") touch "$BIN/updated" ;;
*"Dir::State::Lists="*" download -q prometheus") [ -f "$BIN/updated" ] && touch prometheus.deb ;;
*) exit 1 ;;
esac`,
		dpkg: unpack,
	})
	expect(await findPrometheus({ machine: bare.machine })).toMatchObject({ ok: true })
})

test.for([
	{ why: 'no apt', scripts: {}, code: 'no-apt' },
	{ why: 'a failure', scripts: { 'apt-get': 'echo "E: no network" >&2; exit 100' }, code: 'fetch-failed' },
	{
		why: 'another machine',
		scripts: { 'apt-get': 'touch p.deb', dpkg: unpack.replace('exit 0', 'exit 1') },
		code: 'unusable',
	},
])('$why: it says so, and leaves no half of it', async ({ scripts, code }) => {
	using bare = machineWith(scripts)
	expect(await findPrometheus({ machine: bare.machine })).toMatchObject({ ok: false, error: { code } })
	const left = readdirSync(join(bare.cache, 'prometheus')).filter((name) => name !== 'prometheus')
	expect(left).toEqual([])
})
