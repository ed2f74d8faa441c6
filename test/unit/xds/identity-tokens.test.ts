// Whose token is whose: the file, the judgement, and both on real TLS connections.

import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { LogFields } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { until } from '#lab/until.ts'
import { createAdmission, type IdentityProof } from '#xds/admission.ts'
import { parseIdentityPatterns } from '#xds/identity-pattern.ts'
import { type IdentityTokens, judgeToken, parseIdentityTokens } from '#xds/identity-tokens.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import { type Authority, createAuthority, type Issued } from '../../fixtures/certificates.ts'
import { identifyingService } from '../../fixtures/identifying-service.ts'
import { snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { connectXds, metricsMethod, type XdsConnection, xdsServerName } from '../../fixtures/xds-client.ts'
import { encodeSaying, type NodeInit } from '../../fixtures/xds-dialogue.ts'
import { xdsEngine } from '../../fixtures/xds-engine.ts'

const tokenOf = (name: string) => `secret-of-${name}`.padEnd(limits.xdsTokenLeastChars, 'x')
const hashOf = (name: string) => `sha256:${sha256Hex(tokenOf(name))}`
const lineOf = (name: string, owner = name) => `mesh/apps/virtualNode/${owner} ${hashOf(name)}`
const identityOf = (name: string) => ({ mesh: 'apps', kind: 'virtualNode', name }) as const

function tokensOf(...lines: readonly string[]): IdentityTokens {
	const parsed = parseIdentityTokens(lines.join('\n'))
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
	return parsed.value
}

describe('the file', () => {
	test('has comments, blanks, several lines of one identity, and any case of the digits', () => {
		const upper = lineOf('b').replace(/[0-9a-f]{64}/, (digits) => digits.toUpperCase())
		const tokens = tokensOf('# tokens', '', `  ${lineOf('a')}\t`, lineOf('next', 'a'), `${upper}\r`)
		for (const [token, owner] of [
			['a', 'a'],
			['next', 'a'],
			['b', 'b'],
		] as const)
			expect(judgeToken(tokens, identityOf(owner), `Bearer ${tokenOf(token)}`)).toBe('own')
	})

	const identityWanted =
		'expected mesh/MESH/virtualNode/NAME or mesh/MESH/virtualGateway/NAME, or * in the place of a part'
	const hashWanted = 'expected sha256: and 64 hexadecimal digits, never a token itself'
	test.for([
		['apps/a sha256:00', 1, identityWanted],
		['  mesh/apps/virtualNode/a*  sha256:00', 3, identityWanted],
		['mesh/apps/virtualRouter/a sha256:00', 1, identityWanted],
		['mesh/apps/virtualNode/a', 25, hashWanted],
		[`mesh/apps/virtualNode/a  ${tokenOf('a')}`, 26, hashWanted],
		[`mesh/apps/virtualNode/a ${hashOf('a').slice(0, -1)}`, 25, hashWanted],
		[`${lineOf('a')} ${tokenOf('a')}`, 97, 'expected nothing more on this line'],
	] as const)('%j: the place, and nothing of what stands there', ([line, column, message]) => {
		expect(parseIdentityTokens(`\n${lineOf('b')}\n${line}\n`)).toEqual({
			ok: false,
			error: [{ line: 3, column, message }],
		})
	})

	test('tells everything that is wrong', () => {
		const parsed = parseIdentityTokens('a\nb\nc')
		expect(parsed.ok ? [] : parsed.error.map(({ line }) => line)).toEqual([1, 2, 3])
	})

	test('that has nothing in it is none: nobody could come any more', () => {
		for (const text of ['', '# only words\n\n'])
			expect(parseIdentityTokens(text)).toMatchObject({ ok: false, error: [{ line: 1, column: 1 }] })
	})

	test('has no more lines than are kept', () => {
		const lines = Array.from({ length: limits.xdsTokens + 1 }, (_, index) => lineOf(String(index)))
		expect(parseIdentityTokens(lines.join('\n'))).toMatchObject({ ok: false, error: [{ message: /more than/ }] })
	})
})

describe('the judgement', () => {
	const tokens = tokensOf(
		lineOf('a'),
		lineOf('b'),
		`mesh/apps/*/shared ${hashOf('kinds')}`,
		`mesh/*/virtualNode/* ${hashOf('nodes')}`,
	)
	test.for([
		['a', `Bearer ${tokenOf('a')}`, 'own'],
		['a', `bearer  ${tokenOf('a')}`, 'own'],
		['a', tokenOf('a'), 'own'],
		['a', `Bearer ${tokenOf('b')}`, "another's"],
		['a', `Bearer ${tokenOf('nodes')}`, 'own'],
		['c', `Bearer ${tokenOf('nodes')}`, 'own'],
		['shared', `Bearer ${tokenOf('kinds')}`, 'own'],
		['a', `Bearer ${tokenOf('kinds')}`, "another's"],
		['a', `Bearer ${tokenOf('c')}`, 'unknown'],
		['a', `Bearer ${tokenOf('a')}x`, 'unknown'],
		['a', `Basic ${tokenOf('a')}`, 'unknown'],
		['a', hashOf('a'), 'unknown'],
		['a', null, 'missing'],
		['a', '', 'missing'],
		['a', 'Bearer ', 'missing'],
	] as const)('%s with %j: %s', ([name, authorization, verdict]) => {
		expect(judgeToken(tokens, identityOf(name), authorization)).toBe(verdict)
	})

	test('a token for nodes is none for gateways', () => {
		const gateway = { mesh: 'apps', kind: 'virtualGateway', name: 'a' } as const
		expect(judgeToken(tokens, gateway, `Bearer ${tokenOf('nodes')}`)).toBe("another's")
	})
})

describe('over TLS', () => {
	let authority: Authority
	let other: Authority
	let ofServer: Issued
	let ofA: Issued
	beforeAll(async () => {
		authority = await createAuthority('proxies')
		other = await createAuthority('others')
		ofServer = await authority.issue({ names: [xdsServerName] })
		ofA = await authority.issue({ names: ['spiffe://td/mesh/apps/virtualNode/a'] })
	})

	const logged: string[] = []
	const log = (event: string, fields: LogFields = {}) => void logged.push(`${event} ${JSON.stringify(fields)}`)
	let server: XdsServer
	const connections: XdsConnection[] = []
	let tokens = tokensOf(lineOf('a'), lineOf('b'))
	afterEach(async () => {
		for (const connection of connections.splice(0)) connection.close()
		await server.close(100)
		for (const name of ['a', 'b', 'c']) expect(logged.join('\n')).not.toContain(`secret-of-${name}`)
	})

	async function start(kind: 'token' | 'certificateOrToken'): Promise<number> {
		tokens = tokensOf(lineOf('a'), lineOf('b'))
		const patterns = parseIdentityPatterns('spiffe://*/mesh/{mesh}/{kind}/{name}')
		if (!patterns.ok) throw new Error(patterns.error)
		const proof: IdentityProof = { kind, tokens: () => tokens, patterns: patterns.value }
		const admission = createAdmission(proof)
		server = createXdsServer({
			clock: systemClock,
			log: { debug: log, info: log, warn: log, error: log },
			emit: () => undefined,
			admission,
			services: [identifyingService(admission)],
			engine: xdsEngine,
			certificate: {
				chain: ofServer.chain,
				privateKey: ofServer.privateKey,
				clientAuthorities: kind === 'token' ? null : authority.certificate,
				bareClients: 'taken',
			},
		})
		const listening = await server.listen('127.0.0.1:0')
		if (!listening.ok) throw new Error(listening.error.message)
		for (const name of ['a', 'b']) {
			const groupKey = `mesh/apps/virtualNode/${name}|stable|0.0|explicit|0.0.0.0|15001|127.0.0.1:`
			server.publish(groupKey, snapshotOf(staticCluster(`of-${name}`, { host: '127.0.0.1', port: 8080 })))
		}
		return listening.value.port
	}

	const nodeOf = (name: string): NodeInit => ({
		id: `mesh/apps/virtualNode/${name}`,
		metadata: { sluice: { instance: name } },
	})
	type Coming = { token: string | null; own?: Issued | null }
	function connect(port: number, { token, own = null }: Coming): XdsConnection {
		const authorization = token === null ? null : `Bearer ${tokenOf(token)}`
		const connection = connectXds(port, { authorities: authority.certificate, own }, authorization)
		connections.push(connection)
		return connection
	}

	/** What it is served, or how its stream ends. */
	async function ask(connection: XdsConnection, name: string): Promise<string> {
		const stream = connection.open('delta', nodeOf(name))
		stream.say({ type: 'cluster' })
		const told = stream.told().then(({ resources }) => Object.keys(resources).join())
		return Promise.race([told, stream.ended])
	}

	test.for([
		['its own', 'a', 'of-a'],
		['none', null, 'UNAUTHENTICATED: node.id says mesh/apps/virtualNode/a, and no token came with this call'],
		["nobody's", 'c', "UNAUTHENTICATED: node.id says mesh/apps/virtualNode/a, and the token of this call is nobody's"],
		[
			"another's",
			'b',
			"PERMISSION_DENIED: node.id says mesh/apps/virtualNode/a, but the token of this call is another's",
		],
	] as const)('a proxy with %s', async ([, token, outcome]) => {
		expect(await ask(connect(await start('token'), { token }), 'a')).toBe(outcome)
	})

	test('counters are taken by the same rule', async () => {
		const port = await start('token')
		for (const [token, status] of [
			['a', 'OK'],
			[null, 'UNAUTHENTICATED'],
			['b', 'PERMISSION_DENIED'],
		] as const) {
			const raw = connect(port, { token }).openRaw(metricsMethod)
			raw.write(encodeSaying('delta', { type: 'cluster', node: nodeOf('a') }))
			expect(await raw.ended).toContain(status)
		}
	})

	test('another line counts from then on, and streams that are open go on', async () => {
		const port = await start('token')
		const open = connect(port, { token: 'a' }).open('delta', nodeOf('a'))
		open.say({ type: 'cluster' })
		await open.accept()
		tokens = tokensOf(lineOf('next', 'a'))
		expect(await ask(connect(port, { token: 'a' }), 'a')).toContain('UNAUTHENTICATED')
		expect(await ask(connect(port, { token: 'next' }), 'a')).toBe('of-a')
		open.say({ type: 'listener' })
		expect((await open.told()).type).toBe('listener')
	})

	test('beside certificates: who shows one is judged by it, who shows none by the token', async () => {
		const port = await start('certificateOrToken')
		expect(await ask(connect(port, { token: null, own: ofA }), 'a')).toBe('of-a')
		expect(await ask(connect(port, { token: 'b' }), 'b')).toBe('of-b')
		expect(await ask(connect(port, { token: null }), 'a')).toContain('UNAUTHENTICATED')
		expect(await ask(connect(port, { token: 'b', own: ofA }), 'b')).toContain('PERMISSION_DENIED')
	})

	test('beside certificates: one of another authority gets no connection, whatever token comes with it', async () => {
		const port = await start('certificateOrToken')
		const own = await other.issue({ names: ['spiffe://td/mesh/apps/virtualNode/a'] })
		const stream = connect(port, { token: 'a', own }).open('delta', nodeOf('a'))
		stream.say({ type: 'cluster' })
		await until({ clock: systemClock, deadlineMs: 5000, what: 'it is told' }, async () => {
			return logged.find((line) => line.includes('UNABLE_TO_VERIFY_LEAF_SIGNATURE')) ?? null
		})
		stream.cancel()
		expect(await stream.ended).toMatch(/^(CANCELLED|UNAVAILABLE)/)
	})
})
