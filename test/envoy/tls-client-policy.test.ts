// What a client's policy says of TLS, wherever it is written: at a backend, as the default of a node's backends, and as
// that of a gateway; with certificates and trust of each kind.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Authority, createAuthority, type Issued } from '../fixtures/certificates.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { type Document, gateway, gatewayRoute, mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { placeFiles, placeSecret } from './fixtures/place-certificates.ts'
import { material, trust, validation } from './fixtures/tls-yaml.ts'

let stage: FeatureStage
let authority: Authority
let stranger: Authority
let certificates: { readonly server: Issued; readonly named: Issued; readonly client: Issued }

const host = (name: string) => `${name}.apps.local`
const serverName = host('server')
const clientName = 'spiffe://apps/caller'
const services = ['mutual', 'plain', 'named'] as const
const kinds = ['file', 'sds', 'acm'] as const
type Kind = (typeof kinds)[number]

beforeAll(async () => {
	authority = await createAuthority()
	stranger = await createAuthority('stranger')
	certificates = {
		server: await authority.issue({ names: [serverName] }),
		named: await authority.issue({ names: ['named.example.com'] }),
		client: await authority.issue({ names: [clientName] }),
	}
	stage = await openFeatureStage({
		block: 62,
		apps: ['server'],
		ownApps: kinds.flatMap((kind) => [`own-${kind}`, `defaults-${kind}`]),
		proxies: ['server', ...kinds.flatMap((kind) => [`own-${kind}`, `defaults-${kind}`, `gateway:edge-${kind}`])],
		portNames: [...services],
		daemon: (folder) => ({ certificates: join(folder, 'secrets') }),
		mesh(at) {
			const files = join(at.folder, 'files')
			for (const [name, issued] of Object.entries(certificates)) placeFiles(files, name, issued)
			writeFileSync(join(files, 'authority.crt'), authority.certificate)
			writeFileSync(join(files, 'stranger.crt'), stranger.certificate)
			const secrets = join(at.folder, 'secrets')
			placeSecret(secrets, 'client', certificates.client)
			placeSecret(secrets, 'authority', { authorities: authority.certificate })
			placeSecret(secrets, 'stranger', { authorities: stranger.certificate })
			return meshOf(at, files)
		},
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())

/** What a caller says of TLS. `ports`: those of the server on which it does. */
function policiesOf(at: FeaturePlaces, files: string): Readonly<Record<Kind, object>> {
	return {
		// On every port, and TLS there must be.
		file: { certificate: material.file(files, 'client'), ...validation(trust.file(files, 'authority'), [serverName]) },
		// The port without TLS is none of those that it is about.
		sds: {
			enforce: true,
			ports: [at.port('mutual'), at.port('named')],
			certificate: material.sds('client'),
			...validation(trust.sds('authority')),
		},
		// TLS where the server has it; the second of the authorities vouches for it.
		acm: {
			enforce: false,
			certificate: material.sds('client'),
			...validation(trust.acm('stranger', 'authority'), [serverName, 'named.example.com']),
		},
	}
}

function meshOf(at: FeaturePlaces, files: string): string {
	const policies = policiesOf(at, files)
	const policy = (kind: Kind) => ({ clientPolicy: { tls: policies[kind] } })
	const serverTls = (name: string) => ({ mode: 'STRICT', certificate: material.file(files, name) })
	const listeners = {
		mutual: { ...serverTls('server'), ...validation(trust.file(files, 'authority'), [clientName]) },
		plain: undefined,
		named: serverTls('named'),
	}
	return yamlOf([
		mesh(),
		node(
			'server',
			services.map((name) => listener(at.port(name), listeners[name])),
		),
		...services.flatMap((name) => [
			node(name, [listener(at.port(name), listeners[name])], {
				serviceDiscovery: { dns: { hostname: serverName } },
			}),
			service(host(name), { node: name }),
		]),
		...kinds.flatMap((kind): Document[] => [
			node(`defaults-${kind}`, [], { backends: services.map(host), backendDefaults: policy(kind) }),
			// The default that would hold trusts nobody who is there.
			node(`own-${kind}`, [], {
				backends: services.map((name) => ({ virtualServiceName: host(name), ...policy(kind) })),
				backendDefaults: { clientPolicy: { tls: validation(trust.file(files, 'stranger')) } },
			}),
			gateway(`edge-${kind}`, [{ port: at.port() }], { backendDefaults: policy(kind) }),
			...services.map((name) =>
				gatewayRoute(`edge-${kind}`, name, {
					httpRoute: {
						match: { prefix: '/', hostname: { exact: host(name) } },
						action: { target: { virtualService: { virtualServiceName: host(name) } } },
					},
				}),
			),
		]),
	])
}

function listener(port: number, tls: object | undefined) {
	return tls === undefined ? { port } : { port, tls }
}

async function statusOf(caller: string, name: string): Promise<number> {
	const url = `http://${host(name)}/`
	return (await (caller.startsWith('gateway:') ? stage.dial(caller, url) : stage.ask(caller, url))).status
}

async function counted(caller: string, name: (typeof services)[number], what: string): Promise<number> {
	const cluster = `cds_egress_apps_${name}_http_${stage.port(name)}`
	return [...(await stage.envoy(caller).admin.stats(`^cluster\\.${cluster}\\.ssl\\.${what}$`)).values()][0] ?? 0
}

describe.for(['own', 'defaults', 'gateway:edge'])('%s', (caller) => {
	test.for<[kind: Kind, wanted: Record<(typeof services)[number], number>]>([
		['file', { mutual: 200, plain: 503, named: 503 }],
		['sds', { mutual: 200, plain: 200, named: 503 }],
		['acm', { mutual: 200, plain: 200, named: 200 }],
	])('%s: %j', async ([kind, wanted]) => {
		const name = `${caller}-${kind}`
		const statuses = await Promise.all(services.map(async (each) => [each, await statusOf(name, each)]))
		expect(Object.fromEntries(statuses)).toEqual(wanted)
		expect(await counted(name, 'mutual', 'handshake')).toBeGreaterThan(0)
		expect(await counted(name, 'plain', 'handshake')).toBe(0)
		expect((await counted(name, 'named', 'fail_verify_san')) > 0).toBe(wanted.named === 503)
	})
})
