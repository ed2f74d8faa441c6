// TLS between proxies, with certificates that the proxies read from their own files: what is let through, what is
// refused on either side, and that new certificates are taken up while requests flow.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLoad } from '#lab/load.ts'
import { type Authority, createAuthority, type Issued } from '../fixtures/certificates.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { placeFiles } from './fixtures/place-certificates.ts'

let stage: FeatureStage
let authority: Authority
let stranger: Authority
/** Certificates by name; written as NAME.crt and NAME.key before anything starts. */
let certificates: Readonly<Record<string, Issued>>

const serverName = 'server.apps.local'
const clientName = 'spiffe://apps/web'

/** Each is a port of the server, a virtual service, and a backend of the client. */
const cases: Readonly<Record<string, { server: object | null; client: object | null }>> = {
	strict: { server: serverTls('server', 'STRICT'), client: clientTls() },
	permissive: { server: serverTls('server', 'PERMISSIVE'), client: clientTls() },
	disabled: { server: serverTls('server', 'DISABLED'), client: clientTls({ enforce: false }) },
	automatic: { server: serverTls('server', 'STRICT'), client: null },
	'named-san': {
		server: serverTls('server', 'STRICT'),
		client: clientTls({ names: [serverName, 'other.apps.local'] }),
	},
	'wrong-san': { server: serverTls('server', 'STRICT'), client: clientTls({ names: ['other.apps.local'] }) },
	'default-san': { server: serverTls('elsewhere', 'STRICT'), client: clientTls() },
	expired: { server: serverTls('expired', 'STRICT'), client: clientTls() },
	unknown: { server: serverTls('stranger', 'STRICT'), client: clientTls() },
	mutual: { server: mutualTls(), client: clientTls({ certificate: 'client' }) },
	'mutual-none': { server: mutualTls(), client: clientTls() },
	'mutual-wrong-san': { server: mutualTls(), client: clientTls({ certificate: 'other-client' }) },
	'mutual-expired': { server: mutualTls(), client: clientTls({ certificate: 'expired-client' }) },
	'mutual-unknown': { server: mutualTls(), client: clientTls({ certificate: 'strange-client' }) },
}
const names = Object.keys(cases)

beforeAll(async () => {
	authority = await createAuthority()
	stranger = await createAuthority('stranger')
	certificates = {
		server: await authority.issue({ names: [serverName] }),
		elsewhere: await authority.issue({ names: ['elsewhere.apps.local'] }),
		expired: await authority.issue({ names: [serverName], validity: 'expired' }),
		stranger: await stranger.issue({ names: [serverName] }),
		client: await authority.issue({ names: [clientName] }),
		'other-client': await authority.issue({ names: ['spiffe://apps/other'] }),
		'expired-client': await authority.issue({ names: [clientName], validity: 'expired' }),
		'strange-client': await stranger.issue({ names: [clientName] }),
	}
	stage = await openFeatureStage({
		block: 38,
		apps: ['web', 'server'],
		proxies: ['web', 'server'],
		portNames: names,
		mesh: services,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())

/** Paths are completed once the folder is known. */
function file(name: string): object {
	return { file: { certificateChain: `FOLDER/${name}.crt`, privateKey: `FOLDER/${name}.key` } }
}

function trust(): object {
	return { file: { certificateChain: 'FOLDER/authority.crt' } }
}

function serverTls(certificate: string, mode: string): object {
	return { mode, certificate: file(certificate) }
}

function mutualTls(): object {
	const subjectAlternativeNames = { match: { exact: [clientName] } }
	return { ...serverTls('server', 'STRICT'), validation: { trust: trust(), subjectAlternativeNames } }
}

function clientTls({ enforce = true, names = [] as string[], certificate = '' } = {}): object {
	const subjectAlternativeNames = { match: { exact: names } }
	return {
		enforce,
		validation: { trust: trust(), ...(names.length > 0 ? { subjectAlternativeNames } : {}) },
		...(certificate === '' ? {} : { certificate: file(certificate) }),
	}
}

const host = (name: string) => `${name}.apps.local`

function services(at: FeaturePlaces): string {
	const folder = join(at.folder, 'certificates')
	for (const [name, issued] of Object.entries(certificates)) placeFiles(folder, name, issued)
	writeFileSync(join(folder, 'authority.crt'), authority.certificate)
	const listeners = names.map((name) => {
		const tls = cases[name]?.server ?? null
		return { port: at.port(name), ...(tls === null ? {} : { tls }) }
	})
	const backends = names.map((name) => {
		const tls = cases[name]?.client ?? null
		return { virtualServiceName: host(name), ...(tls === null ? {} : { clientPolicy: { tls } }) }
	})
	return yamlOf([
		mesh(),
		node('web', [], { backends }),
		node('server', listeners),
		...names.flatMap((name) => [
			service(host(name), { router: name }),
			router(name, [{ port: 80 }]),
			route(name, 'all', {
				httpRoute: {
					match: { prefix: '/' },
					action: { weightedTargets: [{ virtualNode: 'server', port: at.port(name), weight: 1 }] },
				},
			}),
		]),
	]).replaceAll('FOLDER', folder)
}

async function counted(name: string, what: string): Promise<number> {
	const cluster = `cds_egress_apps_server_http_${stage.port(name)}`
	return [...(await stage.envoy('web').admin.stats(`^cluster\\.${cluster}\\.${what}$`)).values()][0] ?? 0
}

const statusOf = async (name: string) => (await stage.ask('web', `http://${host(name)}/`)).status
const inPlain = async (name: string) => (await stage.dial('server', 'http://any/', { port: name })).status

describe('let through', () => {
	test.for<[name: string, handshakes: 'some' | 'none', plain: number]>([
		['strict', 'some', 0],
		['permissive', 'some', 200],
		['disabled', 'none', 200],
		['automatic', 'some', 0],
		['named-san', 'some', 0],
		['mutual', 'some', 0],
	])('%s: handshakes %s; in plain %i', async ([name, handshakes, plain]) => {
		expect(await statusOf(name)).toBe(200)
		expect((await counted(name, 'ssl\\.handshake')) > 0 ? 'some' : 'none').toBe(handshakes)
		expect(await inPlain(name)).toBe(plain)
	})
})

describe('refused by the client', () => {
	test.for<[name: string, counter: string]>([
		['wrong-san', 'fail_verify_san'],
		['default-san', 'fail_verify_san'],
		['expired', 'fail_verify_error'],
		['unknown', 'fail_verify_error'],
	])('%s: %s', async ([name, counter]) => {
		expect(await statusOf(name)).toBe(503)
		expect(await counted(name, `ssl\\.${counter}`)).toBeGreaterThan(0)
	})
})

test.for(['mutual-none', 'mutual-wrong-san', 'mutual-expired', 'mutual-unknown'])(
	'refused by the server: %s',
	async (name) => {
		const before = stage.app('server', name).received.length
		expect(await statusOf(name)).toBe(503)
		expect(stage.app('server', name).received.length).toBe(before)
	},
)

test('new certificates on both sides are taken up while requests flow, and none fails', async () => {
	const folder = join(stage.folder, 'certificates')
	const via = { address: stage.proxyAddress('web'), port: stage.egressPort }
	await using load = startLoad({ ...via, authority: host('mutual'), ratePerSecond: 200 })
	await eventually('requests pass', () => load.soFar().answered > 20)
	for (let turn = 0; turn < 3; turn += 1) {
		const next = await authority.issue({ names: [serverName] })
		placeFiles(folder, 'client', await authority.issue({ names: [clientName] }))
		placeFiles(folder, 'server', next)
		await eventually('new connections see the new one', async () => (await shown('strict')) === next.chain.trim())
		const answered = load.soFar().answered
		await eventually('requests still pass', () => load.soFar().answered > answered + 20)
	}
	expect(load.soFar().failures).toEqual({})
})

/** The certificate that the server's proxy shows to who connects now, in PEM. */
function shown(name: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const to = { host: stage.proxyAddress('server'), port: stage.port(name), rejectUnauthorized: false }
		const socket = connect(to, () => {
			const raw = socket.getPeerX509Certificate()?.toString() ?? ''
			socket.destroy()
			resolve(raw.trim())
		})
		socket.on('error', reject)
	})
}
