// TLS with secrets of an SDS server beside each proxy, as `sluice bootstrap --sds-socket` sets it up: what the mesh names
// is asked there and not of the daemon, and a rotation there is taken up while requests flow.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLoad } from '#lab/load.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { type Authority, createAuthority, type Issued } from '../fixtures/certificates.ts'
import { askTls } from './fixtures/ask-tls.ts'
import { crowd } from './fixtures/crowd.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { gateway, gatewayRoute, mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { type SdsServer, startSdsServer } from './fixtures/sds-server.ts'
import { material, trust, validation } from './fixtures/tls-yaml.ts'

const opened = new AsyncDisposableStack()
const servers: Record<string, SdsServer> = {}
const proxies = ['web', 'server', 'gateway:edge']
let stage: FeatureStage
let authority: Authority

const host = (name: string) => `${name}.apps.local`
const serverName = host('server')
const clientName = 'spiffe://apps/web'
const edgeName = 'www.example.com'

beforeAll(async () => {
	const folder = opened.use(makeTempDirectory('sds')).path
	authority = await createAuthority()
	for (const proxy of proxies) {
		const sds = opened.use(await startSdsServer(join(folder, `${proxy}.sock`)))
		sds.serveTrust('authorities', authority.certificate)
		servers[proxy] = sds
	}
	sdsOf('server').serveCertificate('own', await authority.issue({ names: [serverName] }))
	sdsOf('web').serveCertificate('own', await authority.issue({ names: [clientName] }))
	sdsOf('gateway:edge').serveCertificate('own', await authority.issue({ names: [clientName] }))
	sdsOf('gateway:edge').serveCertificate('outside', await authority.issue({ names: [edgeName] }))
	const own = material.sds('own')
	const client = { certificate: own, ...validation(trust.sds('authorities')) }
	const backendDefaults = { clientPolicy: { tls: client } }
	stage = opened.use(
		await openFeatureStage({
			block: 61,
			apps: ['web', 'server'],
			proxies,
			bootstrap: (proxy) => ({ sdsSocket: join(folder, `${proxy}.sock`) }),
			mesh: (at) =>
				yamlOf([
					mesh(),
					node('web', [], {
						backends: [{ virtualServiceName: serverName, clientPolicy: { tls: client } }],
					}),
					node('server', [
						{
							port: at.port(),
							tls: { mode: 'STRICT', certificate: own, ...validation(trust.sds('authorities'), [clientName]) },
						},
					]),
					service(serverName, { node: 'server' }),
					gateway(
						'edge',
						[
							{
								port: at.port(),
								tls: { mode: 'STRICT', certificate: material.sds('outside'), ...validation(trust.sds('authorities')) },
							},
						],
						{ backendDefaults },
					),
					gatewayRoute('edge', 'all', {
						httpRoute: {
							match: { prefix: '/' },
							action: { target: { virtualService: { virtualServiceName: serverName } } },
						},
					}),
				]),
		}),
	)
})
afterAll(() => opened.disposeAsync())

function sdsOf(proxy: string): SdsServer {
	const sds = servers[proxy]
	if (sds === undefined) throw new Error(`there is no SDS server of ${proxy}`)
	return sds
}

function dial(proxy: string, certificate?: Issued) {
	const via = { address: stage.proxyAddress(proxy), port: stage.port() }
	return askTls({ via, host: edgeName, ...(certificate === undefined ? {} : { certificate }) })
}

test('both ends are asked for certificates, and show those of their own SDS servers', async () => {
	expect((await stage.ask('web', `http://${serverName}/`)).status).toBe(200)
	expect((await dial('server')).status).toBe(0)
	for (const proxy of ['web', 'server']) expect(sdsOf(proxy).asked()).toEqual(['authorities', 'own'])
	for (const proxy of proxies)
		expect(JSON.stringify(await stage.envoy(proxy).admin.configDump('dynamic_active_secrets'))).toContain('"own"')
	expect(stage.daemon.status().discovery).toEqual([])
})

test('a gateway: towards the outside, and towards the mesh', async () => {
	const known = await authority.issue({ names: ['somebody'] })
	const stranger = await (await createAuthority('stranger')).issue({ names: ['somebody'] })
	expect(await dial('gateway:edge', known)).toMatchObject({ status: 200, app: 'server' })
	expect((await dial('gateway:edge', stranger)).status).toBe(0)
	expect((await dial('gateway:edge')).status).toBe(0)
	expect(sdsOf('gateway:edge').asked()).toEqual(['authorities', 'outside', 'own'])
})

test('a rotation is taken up while requests flow, and none fails', async () => {
	const via = { address: stage.proxyAddress('web'), port: stage.egressPort }
	await using load = startLoad({ ...via, authority: serverName, ratePerSecond: 200 })
	const other = await createAuthority('second')
	const both = `${authority.certificate}\n${other.certificate}\n`
	for (const proxy of proxies) sdsOf(proxy).serveTrust('authorities', both)
	const asks = await other.issue({ names: [clientName] })
	await eventually('the server trusts both', async () => (await dial('server', asks)).status === 200)
	await eventually('the client trusts both', async () => {
		const secrets = JSON.stringify(await stage.envoy('web').admin.configDump('dynamic_active_secrets'))
		return secrets.includes(JSON.stringify(both).slice(1, -1)) || secrets.includes(Buffer.from(both).toString('base64'))
	})
	const next = await other.issue({ names: [serverName] })
	sdsOf('server').serveCertificate('own', next)
	await eventually('new connections see the new one', async () => {
		return (await dial('server', asks)).shown === next.chain.trim()
	})
	const cluster = `cluster.cds_egress_apps_server_http_${stage.port()}`
	const connections = await stage.envoy('web').admin.stats(`^${cluster}.upstream_cx_active$`)
	// More than there are connections: new ones are made.
	const size = ([...connections.values()][0] ?? 0) + 10
	const anew = await crowd(stage.app('server'), { size, path: '/crowd' }, async () => {
		return (await stage.ask('web', `http://${serverName}/crowd`)).status
	})
	expect(anew).toEqual(anew.map(() => 200))
	expect((await load.stop()).failures).toEqual({})
})
