// Tokens with real Envoys, whose bootstrap is the command's own: who is served, who is refused, and new tokens on both
// sides while Envoy runs.

import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#base/system-clock.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import { type Authority, createAuthority } from '../fixtures/certificates.ts'
import { placeSecret } from './fixtures/place-certificates.ts'
import { type Line, runSluice, type SluiceProcess, startSluice } from './fixtures/sluice-process.ts'

const example = join(import.meta.dirname, '../../mesh-config')
const serverName = 'xds.local'
const folder = makeTempDirectory('tokens')
const at = (name: string) => join(folder.path, name)
const closing = new AsyncDisposableStack()
const addresses = { block: 92 }
let started = 0
let authority: Authority
let sluice: SluiceProcess
let parameters: readonly string[]
const envoys: EnvoyProcess[] = []
const secrets: string[] = []

beforeAll(async () => {
	cpSync(example, at('mesh'), { recursive: true })
	authority = await createAuthority()
	// A folder as cert-manager writes it has the authority in it as well.
	placeSecret(folder.path, 'daemon', {
		...(await authority.issue({ names: [serverName] })),
		authorities: authority.certificate,
	})
	const lines = [await lineOf('a', 'serviceA'), await lineOf('b', 'serviceB')]
	await lineOf('nobodys', 'serviceA')
	putTokens(...lines)
	const [port] = await freePorts('127.0.0.1', 1)
	parameters = ['--folder', at('mesh'), '--xds-tls', at('daemon'), '--xds-tokens', at('tokens')]
	parameters = [...parameters, '--xds', `127.0.0.1:${port}`]
	sluice = await startSluice({ folder: folder.path, parameters })
	await sluice.logged('mesh.applied', 0)
}, 300_000)

afterAll(async () => {
	await closing.disposeAsync()
	await sluice?.stop()
	folder.remove()
})

/** Makes a token, and gives what `sluice token` prints about it. */
async function lineOf(token: string, node: string): Promise<string> {
	const { stdout, code } = await runSluice('token', at(`${token}.token`), '--node', `mesh/apps/virtualNode/${node}`)
	expect(code).toBe(0)
	secrets.push(readFileSync(at(`${token}.token`), 'utf8'))
	return stdout.trim()
}

/** What a folder of secrets does: all at once. */
function replace(name: string, text: string): void {
	writeFileSync(at(`${name}.new`), text)
	renameSync(at(`${name}.new`), at(name))
}

function putTokens(...lines: readonly string[]): void {
	replace('tokens', `${lines.join('\n')}\n`)
}

type Coming = { node: string; token: string | null; version: EnvoyVersion; instance: string }

/** A real Envoy with what `sluice bootstrap` prints for it. */
async function startProxy({ node, token, version, instance }: Coming): Promise<EnvoyProcess> {
	const found = await findEnvoy({ version, onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	started += 1
	const bind = `127.0.${addresses.block}.${started}`
	// Not the usual one, which others listen on at all addresses.
	const [egressPort = 0] = await freePorts(bind, 1)
	const { stdout, stderr, code } = await runSluice(
		...['bootstrap', '--node', `mesh/apps/virtualNode/${node}`, '--instance', instance],
		...['--xds', `127.0.0.1:${sluice.xdsPort}`, '--xds-server-name', serverName],
		...['--xds-ca', join(at('daemon'), 'ca.crt'), '--xds-secrets', folder.path],
		...(token === null ? [] : ['--xds-token', at(`${token}.token`)]),
		...['--admin', '127.0.0.1:0', '--bind', bind, '--egress-port', String(egressPort)],
	)
	expect(code, stderr).toBe(0)
	// Each has the file of its own.
	const ownSecret = at(`${instance}-token.yaml`)
	if (token !== null) cpSync(at('xds-token.yaml'), ownSecret)
	const file = at(`${instance}.yaml`)
	writeFileSync(file, stdout.replaceAll(at('xds-token.yaml'), ownSecret))
	const envoy = closing.use(await startEnvoy({ envoy: found.value.path, name: instance, bootstrap: { file } }))
	envoys.push(envoy)
	return envoy
}

function eventually<Value>(what: string, look: () => Promise<Value | null> | Value | null): Promise<Value> {
	return until({ clock: systemClock, deadlineMs: 20_000, what }, async () => look())
}

/** Served all, and heard of: its counters are taken. */
function untilCurrent(node: string, connected: number): Promise<true> {
	return eventually(`${connected} of ${node} hold what is served`, async () => {
		const { groups } = await sluice.status()
		const group = groups.find(({ identity }) => identity === `mesh/apps/virtualNode/${node}`)
		if (group === undefined || group.connected !== connected || group.silent.length > 0) return null
		return Object.values(group.types).every(({ current }) => current === connected) || null
	})
}

function untilRefused(event: string, code: string, from: number): Promise<Line> {
	return eventually(`${event} with ${code}`, () => {
		return sluice.lines.slice(from).find((line) => line.event === event && line.code === code) ?? null
	})
}

test('each proxy is served by its token, and its counters are taken', async () => {
	const a = await startProxy({ node: 'serviceA', token: 'a', version: '1.40.0', instance: 'a' })
	const b = await startProxy({ node: 'serviceB', token: 'b', version: '1.36.2', instance: 'b' })
	await Promise.all([a.ready(), b.ready()])
	await untilCurrent('serviceA', 1)
	await untilCurrent('serviceB', 1)
}, 60_000)

test.for([
	['without one', null, 'UNAUTHENTICATED', 'no token came with this call'],
	["with nobody's", 'nobodys', 'UNAUTHENTICATED', "the token of this call is nobody's"],
	["with another's", 'b', 'PERMISSION_DENIED', "the token of this call is another's"],
] as const)('a proxy %s is served nothing, nor are its counters taken', async ([, token, code, words]) => {
	const from = sluice.lines.length
	const instance = `refused-${token}`
	const envoy = await startProxy({ node: 'serviceA', token, version: '1.40.0', instance })
	for (const event of ['xds.stream.ended', 'telemetry.stream.ended']) {
		const told = await untilRefused(event, code, from)
		expect(String(told.message)).toContain(words)
	}
	await eventually('Envoy says so', () => readFileSync(envoy.logFile, 'utf8').includes('node.id') || null)
	expect(await envoy.admin.configDump('dynamic_listeners')).toEqual([])
	await untilCurrent('serviceA', 1)
	await envoy.stop()
})

test('a new token is taken up on both sides while Envoy runs', async () => {
	const next = await lineOf('next', 'serviceA')
	const from = sluice.lines.length
	putTokens(next, await lineOf('b', 'serviceB'))
	sluice.look()
	// Looked at twice.
	await sluice.logged('xds.tokens', from)
	// The stream that is open goes on; it is the next one that is refused.
	await untilCurrent('serviceA', 1)
	await sluice.stop()
	const printed = sluice.output()
	sluice = await startSluice({ folder: folder.path, parameters })
	await untilRefused('xds.stream.ended', 'UNAUTHENTICATED', 0)
	await untilCurrent('serviceB', 1)
	replace('a.token', readFileSync(at('next.token'), 'utf8'))
	await untilCurrent('serviceA', 1)
	expect(secrets.filter((secret) => printed.includes(secret))).toEqual([])
}, 60_000)

test('no token is in a log, the state, the API, the metrics, a bootstrap, or what Envoy shows of itself', async () => {
	const asked = await Promise.all(
		['/api/v1/status', '/api/v1/proxies', '/metrics'].map(async (path) =>
			(await fetch(`http://${sluice.http}${path}`)).text(),
		),
	)
	const dump = JSON.stringify(await envoys[0]?.admin.configDump())
	expect(dump).toContain('xds-token')
	const places = [folder.path, at('state')]
	const files = places.flatMap((place) =>
		readdirSync(place, { withFileTypes: true })
			.filter((entry) => entry.isFile() && !entry.name.endsWith('.token'))
			.map(({ name }) => readFileSync(join(place, name), 'latin1')),
	)
	const logs = envoys.map(({ logFile }) => readFileSync(logFile, 'utf8'))
	const told = [...asked, dump, ...files, ...logs, sluice.output()].join('\n')
	expect(new Set(secrets).size).toBe(4)
	const forms = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString('base64')])
	expect(forms.filter((form) => told.includes(form))).toEqual([])
})
