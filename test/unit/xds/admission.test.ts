// Who may speak as whom on real TLS connections, and what new certificates change.

import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { LogFields } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { until } from '#lab/until.ts'
import { createAdmission } from '#xds/admission.ts'
import { parseIdentityPatterns } from '#xds/identity-pattern.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import { type Authority, createAuthority, type Issued } from '../../fixtures/certificates.ts'
import { identifyingService } from '../../fixtures/identifying-service.ts'
import { snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { certificateSecret, tlsCluster } from '../../fixtures/secret-resources.ts'
import {
	connectXds,
	metricsMethod,
	type XdsConnection,
	type XdsConversation,
	xdsServerName,
} from '../../fixtures/xds-client.ts'
import { encodeSaying, type NodeInit } from '../../fixtures/xds-dialogue.ts'
import { xdsEngine } from '../../fixtures/xds-engine.ts'

const nodeOf = (name: string): NodeInit => ({
	id: `mesh/apps/virtualNode/${name}`,
	metadata: { sluice: { instance: name } },
})
const uriOf = (name: string) => `spiffe://td/mesh/apps/virtualNode/${name}`
const groupOf = (name: string) => `mesh/apps/virtualNode/${name}|stable|0.0|explicit|0.0.0.0|15001|127.0.0.1:`

let authority: Authority
let other: Authority
let ofServer: Issued
let ofA: Issued
beforeAll(async () => {
	authority = await createAuthority('proxies')
	other = await createAuthority('others')
	ofServer = await authority.issue({ names: [xdsServerName] })
	ofA = await authority.issue({ names: [uriOf('a')] })
})

let server: XdsServer
let port: number
let logged: { readonly event: string; readonly fields: LogFields }[]
let connections: XdsConnection[]
const log = (event: string, fields: LogFields = {}) => void logged.push({ event, fields })

beforeEach(async () => {
	logged = []
	connections = []
	const patterns = parseIdentityPatterns('spiffe://*/mesh/{mesh}/{kind}/{name}')
	if (!patterns.ok) throw new Error(patterns.error)
	const admission = createAdmission({ kind: 'certificate', patterns: patterns.value })
	server = createXdsServer({
		clock: systemClock,
		log: { debug: log, info: log, warn: log, error: log },
		emit: () => undefined,
		admission,
		services: [identifyingService(admission)],
		certificate: shown(ofServer, authority.certificate),
		engine: xdsEngine,
	})
	const listening = await server.listen('127.0.0.1:0')
	if (!listening.ok) throw new Error(listening.error.message)
	port = listening.value.port
	server.publish(groupOf('a'), snapshotOf(staticCluster('of-a', { host: '127.0.0.1', port: 8080 })))
	server.publish(groupOf('b'), snapshotOf(staticCluster('of-b', { host: '127.0.0.1', port: 8080 })))
})
afterEach(async () => {
	for (const connection of connections) connection.close()
	await server.close(100)
})

function shown({ chain, privateKey }: Issued, clientAuthorities: string) {
	return { chain, privateKey, clientAuthorities }
}

function connect(own: Issued | null, authorities = authority.certificate): XdsConnection {
	const connection = connectXds(port, { authorities, own })
	connections.push(connection)
	return connection
}

function ask(connection: XdsConnection, name: string): XdsConversation {
	const stream = connection.open('delta', nodeOf(name))
	stream.say({ type: 'cluster' })
	return stream
}

async function clustersOf(stream: XdsConversation): Promise<string[]> {
	return (await stream.accept()).flatMap(({ resources }) => Object.keys(resources))
}

function handshakesFailed(): Promise<LogFields> {
	return until(
		{ clock: systemClock, deadlineMs: 5000, what: 'a handshake fails' },
		async (): Promise<LogFields | null> => {
			return logged.find(({ event }) => event === 'xds.handshake.failed')?.fields ?? null
		},
	)
}

test('a proxy is served what its certificate is for, and nothing of another', async () => {
	const connection = connect(ofA)
	expect(await clustersOf(ask(connection, 'a'))).toEqual(['of-a'])
	expect(await ask(connection, 'b').ended).toBe(
		`PERMISSION_DENIED: node.id says mesh/apps/virtualNode/b, but the certificate of this connection is for ${uriOf('a')}`,
	)
})

test('the first name on a connection must be the own one too', async () => {
	expect(await ask(connect(ofA), 'b').ended).toContain('PERMISSION_DENIED: node.id says mesh/apps/virtualNode/b')
})

test.for(['delta', 'stateOfTheWorld'] as const)(
	'%s: a secret goes to its owner, by whatever name another asks',
	async (variant) => {
		const secret = certificateSecret('secret-of-a', ofServer)
		const user = tlsCluster('of-a', { host: '127.0.0.1', port: 8080 }, { secret: 'secret-of-a', variation: 0 })
		server.publish(groupOf('a'), snapshotOf(user, secret))
		const ofB = await authority.issue({ names: [uriOf('b')] })
		const given: string[][] = []
		for (const [own, name] of [
			[ofA, 'a'],
			[ofB, 'b'],
		] as const) {
			const stream = connect(own).open(variant, nodeOf(name))
			stream.say({ type: 'cluster' })
			await stream.accept()
			stream.say({ type: 'secret', names: ['secret-of-a'] })
			// In state of the world a name that there is not is answered by silence: this comes next then.
			if (name === 'b')
				server.publish(groupOf('b'), snapshotOf(staticCluster('later', { host: '127.0.0.1', port: 8080 })))
			const [told] = await stream.accept()
			given.push(Object.keys(told?.resources ?? {}))
			stream.cancel()
		}
		expect(given[0]).toEqual(['secret-of-a'])
		expect(given[1]).not.toContain('secret-of-a')
	},
)

test('counters as another are refused', async () => {
	const connection = connect(ofA)
	for (const [name, status] of [
		['b', 'PERMISSION_DENIED'],
		['a', 'OK'],
	] as const) {
		const raw = connection.openRaw(metricsMethod)
		raw.write(encodeSaying('delta', { type: 'cluster', node: nodeOf(name) }))
		expect(await raw.ended).toContain(status)
	}
})

test("a certificate without a URI is nobody's", async () => {
	const unnamed = await authority.issue({ names: ['mesh.apps.a'] })
	expect(await ask(connect(unnamed), 'a').ended).toMatch(/^PERMISSION_DENIED: .* names no URI$/)
})

test.for([
	['none', async (): Promise<Issued | null> => null, 'PEER_DID_NOT_RETURN_A_CERTIFICATE'],
	[
		'of another authority',
		(): Promise<Issued | null> => other.issue({ names: [uriOf('a')] }),
		'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	],
	[
		'that has expired',
		(): Promise<Issued | null> => authority.issue({ names: [uriOf('a')], validity: 'expired' }),
		'CERT_HAS_EXPIRED',
	],
] as const)('a certificate %s: no connection, and the log says why', async ([, issue, reason]) => {
	const stream = ask(connect(await issue()), 'a')
	expect(String((await handshakesFailed()).reason)).toContain(reason)
	stream.cancel()
	expect(await stream.ended).toMatch(/^(CANCELLED|UNAVAILABLE)/)
})

test('a new certificate and new authorities hold for new connections; streams that are open go on', async () => {
	const open = ask(connect(ofA), 'a')
	expect(await clustersOf(open)).toEqual(['of-a'])
	const next = await other.issue({ names: [xdsServerName] })
	const nextOfA = await other.issue({ names: [uriOf('a')] })
	server.secure(shown(next, other.certificate))
	expect(await clustersOf(ask(connect(nextOfA, other.certificate), 'a'))).toEqual(['of-a'])
	const late = ask(connect(ofA, other.certificate), 'a')
	expect(String((await handshakesFailed()).reason)).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
	late.cancel()
	server.publish(groupOf('a'), snapshotOf(staticCluster('of-a-2', { host: '127.0.0.1', port: 8080 })))
	expect(await clustersOf(open)).toEqual(['of-a-2'])
})

test.for(['TLSv1.2', 'TLSv1.3'] as const)('no session of %s is resumed', async (version) => {
	const options: ConnectionOptions = {
		host: '127.0.0.1',
		port,
		servername: xdsServerName,
		ca: authority.certificate,
		cert: ofA.chain,
		key: ofA.privateKey,
		ALPNProtocols: ['h2'],
		maxVersion: version,
	}
	const session = await new Promise<Buffer | undefined>((resolve) => {
		const socket = connectTls(options)
		let found: Buffer | undefined
		socket.on('session', (given) => {
			found = given
			socket.end()
		})
		socket.on('close', () => resolve(found))
		socket.resume()
	})
	const isReused = await new Promise((resolve, reject) => {
		const socket = connectTls({ ...options, ...(session === undefined ? {} : { session }) }, () => {
			resolve(socket.isSessionReused())
			socket.destroy()
		})
		socket.on('error', reject)
	})
	expect(isReused).toBe(false)
})

test('who comes from the address and port of another, to another address of this machine, gets no connection', async () => {
	const plain = createXdsServer({
		clock: systemClock,
		log: { debug: log, info: log, warn: log, error: log },
		emit: () => undefined,
		engine: xdsEngine,
	})
	const listening = await plain.listen('0.0.0.0:0')
	if (!listening.ok) throw new Error(listening.error.message)
	const from = { port: listening.value.port, localAddress: '127.0.0.1' }
	const first = connectPlain({ ...from, host: '127.0.0.1' })
	// The server's settings: it has taken the connection.
	await once(first, 'data')
	const { localPort = 0 } = first
	const second = connectPlain({ ...from, host: '127.0.0.2', localPort })
	second.on('error', () => undefined)
	second.resume()
	await once(second, 'close')
	expect(logged.map(({ event }) => event)).toContain('xds.connection.refused')
	expect(first.destroyed).toBe(false)
	first.destroy()
	await plain.close(100)
})

test('a client that speaks no HTTP/2, or says nothing, harms nobody', async () => {
	const http1 = connectTls({
		host: '127.0.0.1',
		port,
		servername: xdsServerName,
		ca: authority.certificate,
		ALPNProtocols: ['http/1.1'],
	})
	http1.on('error', () => undefined)
	await new Promise((resolve) => http1.on('close', resolve))
	expect(await clustersOf(ask(connect(ofA), 'a'))).toEqual(['of-a'])
})
