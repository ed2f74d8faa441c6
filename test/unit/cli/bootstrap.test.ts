import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, describe, expect, test } from 'vitest'
import { exitCodes } from '#cli/exit-codes.ts'
import { runInProcess } from '../../fixtures/run-in-process.ts'

const example = join(import.meta.dirname, '../../../mesh-config')
const folders: string[] = []
afterAll(() => {
	for (const folder of folders) rmSync(folder, { recursive: true })
})

async function bootstrap(parameters: readonly string[], environment: Record<string, string> = {}) {
	const { code, out, talk } = await runInProcess(['bootstrap', ...parameters], environment)
	return { code, out: out.join('\n'), talk: talk.join('\n') }
}

type Written = {
	node: { id: string; metadata: { sluice: Record<string, unknown> } }
	admin: { address: { socket_address: { address: string; port_value: number } } }
	static_resources: { clusters: { name: string }[]; listeners?: { address: unknown }[] }
	stats_sinks: { typed_config: Record<string, unknown> }[]
	stats_config: Record<string, unknown>
}

async function written(...parameters: readonly string[]): Promise<Written> {
	const { code, out, talk } = await bootstrap(parameters)
	expect([code, talk]).toEqual([0, ''])
	return load(out) as Written
}

const node = ['--node', 'mesh/apps/virtualNode/serviceA', '--instance', 'i-1'] as const
const gateway = ['--node', 'mesh/apps/virtualGateway/edge', '--instance', 'i-1'] as const
const meshText = `apiVersion: sluice/v1
kind: Mesh
metadata: {name: apps}
spec:
  stats:
    statsd: {address: 10.0.0.9, format: dogstatsd}
    prometheus: {port: 9102}
---
apiVersion: sluice/v1
kind: VirtualNode
metadata: {mesh: apps, name: web}
spec:
  listeners:
    - portMapping: {port: 8080, protocol: http}
    - portMapping: {port: 80, protocol: http2}
  serviceDiscovery: {dns: {hostname: web.apps.local}}
`

function meshFolder(text: string): string {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-bootstrap-'))
	folders.push(folder)
	writeFileSync(join(folder, 'mesh.yaml'), text)
	return folder
}

test('help says its defaults in words', async () => {
	const { code, out: wrapped } = await bootstrap(['--help'])
	const out = wrapped.replaceAll(/\s+/g, ' ')
	expect(code).toBe(0)
	expect(out).not.toMatch(/[{}[\]]"|"[{[]|\[\]/)
	for (const words of ['127.0.0.1:18000', '127.0.0.1:9901', '(default: 15001)', 'virtualGateway'])
		expect(out).toContain(words)
})

describe('a bootstrap', () => {
	test('of a node', async () => {
		const { node: who, admin, static_resources } = await written(...node)
		expect(who).toMatchObject({
			id: 'mesh/apps/virtualNode/serviceA',
			metadata: {
				sluice: { instance: 'i-1', capture: 'explicit', bind: '0.0.0.0', egressPort: 15_001, app: '127.0.0.1' },
			},
		})
		expect(admin.address.socket_address).toEqual({ address: '127.0.0.1', port_value: 9901 })
		expect(static_resources.clusters.map(({ name }) => name)).toEqual(['xds'])
	})

	test('of a gateway', async () => {
		const flags = [...gateway, '--bind', '10.0.0.7', '--egress-port', '16001']
		expect((await written(...flags)).node).toMatchObject({
			id: 'mesh/apps/virtualGateway/edge',
			metadata: { sluice: { capture: 'explicit', bind: '10.0.0.7', egressPort: 16_001 } },
		})
	})

	test('intercepted', async () => {
		const { node: who } = await written(...node, '--capture', 'intercept')
		expect(who.metadata.sluice).toEqual({ instance: 'i-1', capture: 'intercept' })
	})

	test('with secrets from a socket', async () => {
		const { node: who, static_resources } = await written(...node, '--sds-socket', '/run/spire/agent.sock')
		expect(who.metadata.sluice.sds).toBe('socket')
		expect(static_resources.clusters.map(({ name }) => name)).toContain('static_cluster_sds_unix_socket')
	})

	test('over TLS, with files that say where certificates are', async () => {
		const folder = meshFolder('')
		const paths = {
			authorities: `${folder}/ca.crt`,
			chain: `${folder}/own/tls.crt`,
			privateKey: `${folder}/own/tls.key`,
		}
		const flags = ['--xds', 'sluice.internal:18000', '--xds-ca', paths.authorities]
		const own = ['--xds-cert', paths.chain, '--xds-key', paths.privateKey]
		const { code, out, talk } = await bootstrap([...node, ...flags, ...own])
		expect(code).toBe(0)
		const files = ['xds-certificate', 'xds-authorities'].map((name) => join(folder, `${name}.yaml`))
		expect(talk).toBe(`note: beside it Envoy reads ${files.join(' and ')}, which have been written`)
		const [secret, trusted] = files.map((file) => load(readFileSync(file, 'utf8')) as { resources: unknown[] })
		expect(secret?.resources).toMatchObject([
			{
				name: 'xds-certificate',
				tls_certificate: {
					certificate_chain: { filename: paths.chain },
					private_key: { filename: paths.privateKey },
					watched_directory: { path: `${folder}/own` },
				},
			},
		])
		expect(trusted?.resources).toMatchObject([
			{ validation_context: { trusted_ca: { filename: paths.authorities }, watched_directory: { path: folder } } },
		])
		const [cluster] = (load(out) as Written).static_resources.clusters
		const names = [{ san_type: 'DNS', matcher: { exact: 'sluice.internal' } }]
		expect(cluster).toMatchObject({
			transport_socket: {
				typed_config: {
					sni: 'sluice.internal',
					common_tls_context: {
						combined_validation_context: { default_validation_context: { match_typed_subject_alt_names: names } },
					},
				},
			},
		})
	})

	test('over TLS, with a token: the bootstrap says where it lies, and has nothing of it', async () => {
		const folder = meshFolder('')
		const token = join(folder, 'token')
		writeFileSync(token, 'a-token-that-nobody-should-ever-read')
		const flags = ['--xds', 'sluice.internal:18000', '--xds-ca', `${folder}/ca.crt`, '--xds-token', token]
		const { code, out, talk } = await bootstrap([...node, ...flags])
		expect(code).toBe(0)
		expect(talk).toContain(`${folder}/xds-token.yaml`)
		const secret = readFileSync(join(folder, 'xds-token.yaml'), 'utf8')
		expect(load(secret)).toMatchObject({
			resources: [{ name: 'xds-token', generic_secret: { secret: { filename: token } } }],
		})
		expect(out).toContain(`path: ${folder}/xds-token.yaml`)
		expect(`${out}${talk}${secret}`).not.toContain('a-token')
	})

	test('with a token, but without TLS: only where it does not leave the machine', async () => {
		const folder = meshFolder('')
		const flags = ['--xds-token', join(folder, 'token')]
		const away = await bootstrap([...node, ...flags, '--xds', '127.0.0.1:18000', '10.0.0.1:18000'])
		expect(away.code).toBe(64)
		expect(away.talk).toContain('without --xds-ca whoever reads along would have the token')
		expect((await bootstrap([...node, ...flags])).code).toBe(0)
		expect(readFileSync(join(folder, 'xds-token.yaml'), 'utf8')).toContain(`filename: ${folder}/token`)
	})

	test('over TLS, to another name, without a certificate', async () => {
		const folder = meshFolder('')
		mkdirSync(join(folder, 'new'))
		const flags = [
			'--xds-ca',
			'/etc/ca.crt',
			'--xds-server-name',
			'spiffe://td/sluice',
			'--xds-secrets',
			`${folder}/new`,
		]
		const { code, out } = await bootstrap([...node, ...flags])
		expect([code, readdirSync(`${folder}/new`)]).toEqual([0, ['xds-authorities.yaml']])
		expect(out).toContain('san_type: URI')
		expect(out).not.toContain('xds-certificate')
	})

	test.for([
		[['--xds-cert', '/a'], 'say both --xds-cert and --xds-key'],
		[['--xds-cert', '/a', '--xds-key', '/b'], 'without --xds-ca the daemon is not spoken to over TLS'],
		[['--xds-server-name', 'a'], 'without --xds-ca'],
		[['--xds-ca', 'ca.crt'], 'Write an absolute path'],
		[['--xds-ca', '/proc/nowhere/ca.crt'], 'say with --xds-secrets where it can be'],
	] as const)('TLS that is only half there: %s', async ([flags, words]) => {
		const { code, talk } = await bootstrap([...node, ...flags])
		expect(code).not.toBe(0)
		expect(talk).toContain(words)
	})

	test('with statistics for others', async () => {
		const flags = ['--dogstatsd', '127.0.0.1:8125', '--statsd-prefix', 'x', '--prometheus', '9102', '--stats-tags']
		const { stats_sinks, stats_config, static_resources } = await written(...node, '--bind', '10.0.0.7', ...flags)
		expect(stats_sinks[1]?.typed_config).toMatchObject({ prefix: 'x' })
		expect(static_resources.listeners?.[0]?.address).toEqual({
			socket_address: { address: '10.0.0.7', port_value: 9102 },
		})
		expect(Object.keys(stats_config)).toEqual(['stats_tags', 'histogram_bucket_settings'])
	})

	test('with the statistics that its mesh says, and a flag comes before', async () => {
		const flags = [
			'--node',
			'mesh/apps/virtualNode/web',
			'--mesh',
			meshFolder(meshText),
			'--prometheus',
			'10.0.0.7:9103',
		]
		const { stats_sinks, static_resources } = await written(...flags)
		const address = { socket_address: { address: '10.0.0.9', port_value: 8125 } }
		expect(stats_sinks[1]).toMatchObject({ name: 'envoy.stat_sinks.dog_statsd', typed_config: { address } })
		expect(static_resources.listeners?.map((listener) => listener.address)).toEqual([
			{ socket_address: { address: '10.0.0.7', port_value: 9103 } },
		])
	})
})

describe('--intercept', () => {
	test('prints a script for the ports that are named', async () => {
		const { code, out, talk } = await bootstrap(['--intercept', '--app-ports', '8080'])
		expect([code, talk]).toEqual([0, ''])
		expect(out).toMatch(/^#!\/bin\/sh\n/)
		expect(out).toContain('--dport 8080')
		expect(out).toContain('REDIRECT --to-ports 15001')
	})

	test('says that Envoys of Sluice are not on other ports', async () => {
		const { code, out, talk } = await bootstrap(['--intercept', '--app-ports', '8080', '--egress-port', '16001'])
		expect(out).toContain('REDIRECT --to-ports 16001')
		expect(code).toBe(0)
		expect(talk).toContain('listens on 15000 and 15001')
	})

	test("takes App Mesh's variables, and the other tool", async () => {
		const { out } = await bootstrap(['--intercept', 'nftables'], { APPMESH_APP_PORTS: '9080', APPMESH_IGNORE_GID: '7' })
		expect(out).toContain('tcp dport 9080')
		expect(out).toContain('meta skgid 7 return')
		expect(out).not.toContain('skuid')
	})

	test("takes the node's listeners from the mesh", async () => {
		const folder = meshFolder(meshText)
		const { code, out, talk } = await bootstrap([
			'--intercept',
			'--mesh',
			folder,
			'--node',
			'mesh/apps/virtualNode/web',
		])
		expect([code, talk]).toEqual([0, ''])
		expect(out).toContain('to port 80, 8080, from other machines, -> 15000')
	})
})

describe('is refused', () => {
	const missing = ['--mesh', example, '--node', 'mesh/apps/virtualNode/servieA']
	test.for([
		[[], "required option '--node <id>' not specified"],
		[['--node', 'mesh/apps/virtualNode/a b'], 'Write mesh/MESH/virtualNode/NAME'],
		[[...node.slice(0, 2), '--instance', 'a b'], '--instance is "a b"'],
		[[...gateway, '--app', '127.0.0.1'], 'a virtual gateway has no application'],
		[[...node, '--capture', 'intercept', '--bind', '10.0.0.1'], 'leave out --bind, --app and --egress-port'],
		[[...node, '--capture', 'iptables'], 'Allowed choices are explicit, intercept'],
		[[...node, '--bind', 'localhost'], 'Write an IP address'],
		[[...node, '--app', 'localhost:80'], 'Write an IP address and a port'],
		[[...node, '--egress-port', '0'], 'A port is 1 to 65535'],
		[[...node, '--sds-socket', 'agent.sock'], 'Write an absolute path'],
		[[...node, '--statsd', 'collector:8125'], 'Write an IP address and a port'],
		[[...node, '--statsd', '10.0.0.1:1', '--dogstatsd', '10.0.0.1:1'], 'not both'],
		[[...node, '--statsd-prefix', 'x'], '--statsd-prefix needs'],
		[[...node, '--prometheus', '9102', '--admin', '127.0.0.1:0'], 'needs a port of its own'],
		[['--mesh', example], "required option '--node <id>' not specified"],
		[
			missing,
			'mesh-config: the mesh has no mesh/apps/virtualNode/servieA: did you mean mesh/apps/virtualNode/serviceA?',
		],
		[['--intercept'], 'say where the application listens'],
		[['--intercept', 'pf'], 'Allowed choices are iptables, nftables'],
		[['--intercept', '--app-ports', '$(reboot)'], 'flag --app-ports is'],
		[['--intercept', ...gateway], 'there is nothing to intercept'],
	] as const)('%j', async ([parameters, words]) => {
		const { code, out, talk } = await bootstrap(parameters)
		expect([code, out]).toEqual([exitCodes.usage.code, ''])
		expect(talk).toContain(words)
	})

	test('with a mesh that has errors, or none', async () => {
		const broken = await bootstrap([...node, '--mesh', meshFolder(meshText.replace('listeners', 'listners'))])
		expect([broken.code, broken.out]).toEqual([exitCodes.findings.code, ''])
		expect(broken.talk).toContain('did you mean "listeners"?')
		const nowhere = await bootstrap([...node, '--mesh', 'nowhere'])
		expect([nowhere.code, nowhere.out]).toEqual([exitCodes.badInput.code, ''])
	})
})
