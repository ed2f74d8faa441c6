// TLS with certificates, keys and authorities that the daemon serves from its folder: named as secrets and as something
// of ACM, on both sides; new ones while requests flow; and that a key is nowhere but on the way to its proxies.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Log } from '#base/log.ts'
import { startLoad } from '#lab/load.ts'
import { type Authority, createAuthority, type Issued } from '../fixtures/certificates.ts'
import { askTls } from './fixtures/ask-tls.ts'
import { crowd } from './fixtures/crowd.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { type PlacedSecret, placeSecret } from './fixtures/place-certificates.ts'
import { material, trust, validation } from './fixtures/tls-yaml.ts'

let stage: FeatureStage
let authority: Authority
let other: Authority
/** Every key that was ever in the daemon's folder. */
const keys: string[] = []
const logged: string[] = []

const host = (name: string) => `${name}.apps.local`
const serverName = host('server')
const clientName = 'spiffe://apps/web'

/** Each is a port of the server. All of them are there under the name of one service each. */
const listeners: Readonly<Record<string, object>> = {
	sds: { mode: 'STRICT', certificate: material.sds('server') },
	acm: { mode: 'STRICT', certificate: material.acm('of-acm') },
	mutual: {
		mode: 'STRICT',
		certificate: material.sds('server'),
		...validation(trust.sds('authorities'), [clientName]),
	},
	// The secret has authorities beside its pair, and a client without a policy goes by them.
	automatic: { mode: 'STRICT', certificate: material.acm('with-authorities') },
	'automatic-unknown': { mode: 'STRICT', certificate: material.acm('with-others') },
}
const policies: Readonly<Record<string, object>> = {
	sds: validation(trust.sds('authorities')),
	// Of two authorities the second has issued it.
	acm: validation(trust.acm('one', 'two')),
	mutual: { certificate: material.sds('client'), ...validation(trust.sds('authorities'), [serverName, 'x.local']) },
}
/** Further policies towards a port of which another service leads to a node of its own. */
const wrong: Readonly<Record<string, { readonly port: string; readonly tls: object }>> = {
	'acm-unknown': { port: 'acm', tls: validation(trust.acm('one')) },
	'sds-misnamed': { port: 'sds', tls: validation(trust.sds('authorities'), ['x.local']) },
	'mutual-unnamed': {
		port: 'mutual',
		tls: { certificate: material.sds('server'), ...validation(trust.sds('authorities')) },
	},
}

beforeAll(async () => {
	authority = await createAuthority('first')
	other = await createAuthority('second')
	const server = await issue(authority, serverName)
	const client = await issue(authority, clientName)
	const ofAcm = await issue(other, serverName)
	stage = await openFeatureStage({
		block: 60,
		apps: ['web', 'server'],
		proxies: ['web', 'server'],
		portNames: Object.keys(listeners),
		log: capturingLog,
		daemon: (folder) => ({ certificates: join(folder, 'secrets') }),
		mesh(at) {
			const put = (name: string, secret: PlacedSecret) => placeSecret(join(at.folder, 'secrets'), name, secret)
			put('server', server)
			put('client', client)
			put('of-acm', ofAcm)
			put('with-authorities', { ...ofAcm, authorities: other.certificate })
			put('with-others', { ...ofAcm, authorities: authority.certificate })
			put('authorities', { authorities: authority.certificate })
			put('one', { authorities: authority.certificate })
			put('two', { authorities: other.certificate })
			return services(at)
		},
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())

const capturingLog: Log = {
	debug: (event, fields) => void logged.push(JSON.stringify([event, fields])),
	info: (event, fields) => void logged.push(JSON.stringify([event, fields])),
	warn: (event, fields) => void logged.push(JSON.stringify([event, fields])),
	error: (event, fields) => void logged.push(JSON.stringify([event, fields])),
}

async function issue(issuer: Authority, name: string): Promise<Issued> {
	const issued = await issuer.issue({ names: [name] })
	keys.push(issued.privateKey)
	return issued
}

function services(at: FeaturePlaces): string {
	const backend = (name: string, tls?: object) => ({
		virtualServiceName: host(name),
		...(tls === undefined ? {} : { clientPolicy: { tls } }),
	})
	const serviceDiscovery = { dns: { hostname: serverName } }
	const single = (name: string, port: string) =>
		node(name, [{ port: at.port(port), tls: listeners[port] }], { serviceDiscovery })
	return yamlOf([
		mesh(),
		node('web', [], {
			backends: [
				...Object.keys(listeners).map((name) => backend(name, policies[name])),
				...Object.entries(wrong).map(([name, { tls }]) => backend(name, tls)),
			],
		}),
		node(
			'server',
			Object.entries(listeners).map(([name, tls]) => ({ port: at.port(name), tls })),
		),
		...Object.keys(listeners).flatMap((name) => [single(name, name), service(host(name), { node: name })]),
		...Object.entries(wrong).flatMap(([name, { port }]) => [single(name, port), service(host(name), { node: name })]),
	])
}

function place(name: string, secret: PlacedSecret): void {
	placeSecret(join(stage.folder, 'secrets'), name, secret)
}

async function counted(name: string, what: string): Promise<number> {
	const port = stage.port(wrong[name]?.port ?? name)
	const cluster = `cds_egress_apps_${name}_http_${port}`
	return [...(await stage.envoy('web').admin.stats(`^cluster\\.${cluster}\\.${what}$`)).values()][0] ?? 0
}

const statusOf = async (name: string) => (await stage.ask('web', `http://${host(name)}/`)).status

/** What who connects to the server's proxy now gets, with this certificate of its own. */
function dial(port: string, certificate?: Issued) {
	const via = { address: stage.proxyAddress('server'), port: stage.port(port) }
	return askTls({ via, host: serverName, ...(certificate === undefined ? {} : { certificate }) })
}
const shown = async (port: string) => (await dial(port)).shown

/** Whether each of the proxies holds a secret that is this. Envoy's dump shows everything but keys. */
async function hold(text: string, proxies: readonly string[] = ['web', 'server']): Promise<boolean> {
	const dumps = await Promise.all(proxies.map((proxy) => stage.envoy(proxy).admin.configDump('dynamic_active_secrets')))
	return dumps.every((secrets) => {
		const sources = JSON.stringify(secrets).match(/"inline_(string|bytes)":"[^"]*"/g) ?? []
		return sources.some((source) => decoded(source).trim() === text.trim())
	})
}

function decoded(source: string): string {
	const [name, value] = Object.entries(JSON.parse(`{${source}}`) as Record<string, string>)[0] ?? ['', '']
	return name === 'inline_bytes' ? Buffer.from(value, 'base64').toString() : value
}

test.for(['sds', 'acm', 'mutual', 'automatic'])('let through: %s', async (name) => {
	expect(await statusOf(name)).toBe(200)
	expect(await counted(name, 'ssl\\.handshake')).toBeGreaterThan(0)
	expect((await stage.dial('server', 'http://any/', { port: name })).status).toBe(0)
})

test.for([
	['acm-unknown', 'fail_verify_error'],
	['sds-misnamed', 'fail_verify_san'],
	['automatic-unknown', 'fail_verify_error'],
] as const)('refused by the client: %s, %s', async ([name, counter]) => {
	expect(await statusOf(name)).toBe(503)
	expect(await counted(name, `ssl\\.${counter}`)).toBeGreaterThan(0)
})

test('refused by the server: who shows nothing, or another name', async () => {
	const before = stage.app('server', 'mutual').received.length
	expect((await dial('mutual')).status).toBe(0)
	expect(await statusOf('mutual-unnamed')).toBe(503)
	expect(stage.app('server', 'mutual').received.length).toBe(before)
})

/** More requests at once than there are connections between the proxies: new ones are made, and none is refused. */
async function connectAnew(): Promise<void> {
	const before = await counted('mutual', 'ssl\\.handshake')
	const size = (await counted('mutual', 'upstream_cx_active')) + 10
	const statuses = await crowd(stage.app('server', 'mutual'), { size, path: '/crowd' }, async () => {
		return (await stage.ask('web', `http://${host('mutual')}/crowd`)).status
	})
	expect(statuses).toEqual(statuses.map(() => 200))
	expect(await counted('mutual', 'ssl\\.handshake')).toBeGreaterThan(before)
}

test('certificates, and their authority, are replaced on both sides while requests flow, and none fails', async () => {
	const via = { address: stage.proxyAddress('web'), port: stage.egressPort }
	await using load = startLoad({ ...via, authority: host('mutual'), ratePerSecond: 200 })
	async function replace(issuer: Authority): Promise<void> {
		const server = await issue(issuer, serverName)
		const client = await issue(issuer, clientName)
		place('server', server)
		place('client', client)
		await eventually('new connections see the new one', async () => (await shown('sds')) === server.chain.trim())
		await eventually('the client shows its new one', () => hold(client.chain, ['web']))
		await connectAnew()
	}
	async function trustIn(authorities: string): Promise<void> {
		place('authorities', { authorities })
		await eventually('both trust the new ones', () => hold(authorities))
		await connectAnew()
	}

	await replace(authority)
	const old = await issue(authority, clientName)
	await trustIn(`${authority.certificate}\n${other.certificate}\n`)
	await replace(other)
	expect((await dial('mutual', old)).status).toBe(200)
	await trustIn(other.certificate)
	expect((await dial('mutual', old)).status).toBe(0)
	const { answered, failures } = await load.stop()
	expect(failures).toEqual({})
	expect(answered).toBeGreaterThan(200)
})

test('a rotation that is half written changes nothing until it is whole', async () => {
	const before = await shown('sds')
	const next = await issue(other, serverName)
	const stranger = await issue(other, serverName)
	place('server', { chain: next.chain, privateKey: stranger.privateKey })
	await eventually('the daemon says so', () => {
		return stage.daemon.status().discovery.some(({ code, subject }) => code === 'SL0507' && subject.endsWith(' server'))
	})
	expect(await shown('sds')).toBe(before)
	expect(await statusOf('mutual')).toBe(200)
	place('server', next)
	await eventually('the whole one is shown', async () => (await shown('sds')) === next.chain.trim())
	expect(stage.daemon.status().discovery).toEqual([])
})

test('no key is in the log, the status, the journal, or on the daemon’s disk', async () => {
	const journal = await stage.daemon.readJournal(0, 1_000)
	const texts: Readonly<Record<string, string>> = {
		log: logged.join('\n'),
		status: JSON.stringify(stage.daemon.status()),
		journal: JSON.stringify(journal),
		state: filesBelow(join(stage.folder, 'state')),
	}
	// That all of this is what it says, and would show it.
	expect(texts.log).toContain('discovery.trouble')
	expect(journal.length).toBeGreaterThan(0)
	expect(texts.state).toContain(host('mutual'))
	const lines = keys.flatMap((key) => key.split('\n').filter((line) => line.length > 40))
	expect(lines.length).toBeGreaterThanOrEqual(2 * keys.length)
	for (const [where, text] of Object.entries(texts)) {
		expect([where, lines.filter((line) => text.includes(line))]).toEqual([where, []])
		expect([where, text.includes('PRIVATE KEY')]).toEqual([where, false])
	}
})

function filesBelow(folder: string): string {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
		.join('\n')
}
