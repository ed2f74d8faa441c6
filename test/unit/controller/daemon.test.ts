import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { fail, succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import { type Daemon, type DaemonPorts, type DaemonSettings, startDaemon } from '#controller/daemon.ts'
import { createAuthority } from '../../fixtures/certificates.ts'

const example = join(import.meta.dirname, '../../../mesh-config')
const random = () => 0.5
const usual = 'spiffe://*/mesh/{mesh}/{kind}/{name}'
let home: string
let settings: DaemonSettings
let running: Daemon[] = []
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'sluice-daemon-'))
	cpSync(example, join(home, 'mesh'), { recursive: true })
	settings = {
		source: { kind: 'folder', folder: join(home, 'mesh') },
		stateDirectory: join(home, 'state'),
		certificates: null,
		scrape: null,
		metrics: { sources: '', credentials: null },
		hooks: { receivers: '', secrets: null },
		xds: { address: '127.0.0.1:0', identity: 'loopbackOnly' },
	}
})
afterEach(async () => {
	for (const daemon of running.splice(0)) await daemon.stop()
	rmSync(home, { recursive: true })
})

const noFace: DaemonPorts['openFace'] = async () => succeed({ address: 'none', close: async () => undefined })

function startWith(changed: Partial<DaemonSettings>, openFace = noFace) {
	return startDaemon({ ...settings, ...changed }, { log: silentLog, clock: systemClock, random, openFace })
}

async function start(changed: Partial<DaemonSettings> = {}): Promise<Daemon> {
	const started = await startWith(changed)
	if (!started.ok) throw new Error(started.error.message)
	running.push(started.value)
	return started.value
}

async function failureOf(changed: Partial<DaemonSettings>): Promise<{ code: string; message: string }> {
	const started = await startWith(changed)
	if (!started.ok) return started.error
	running.push(started.value)
	throw new Error('it started')
}

/** Resolves with the first journal entry of this name. */
function untilJournal(daemon: Daemon, event: string): Promise<void> {
	return new Promise((resolve) => {
		const forget = daemon.onJournal((entry) => {
			if (entry.event !== event) return
			forget()
			resolve()
		})
	})
}

async function listenSomewhere(): Promise<{ server: Server; port: number }> {
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const bound = server.address()
	if (bound === null || typeof bound === 'string') throw new Error('a TCP port has a number')
	return { server, port: bound.port }
}

test('it takes in the source, and starts again from its own store', async () => {
	const first = await start()
	expect(first.health()).toEqual({ stuck: null, notReady: null })
	await untilJournal(first, 'mesh.applied')
	const { accepted } = first.status()
	expect(accepted?.id).toMatch(/^folder:/)
	await first.stop()
	running = []
	// The source is gone, and what was decided is there before anybody looks for it.
	rmSync(join(home, 'mesh'), { recursive: true })
	const second = await start()
	expect(second.status().accepted).toEqual(accepted)
	expect(second.status().headline.level).toBe('settled')
})

test('the face opens when the last state is loaded and xDS listens', async () => {
	const first = await start()
	await untilJournal(first, 'mesh.applied')
	await first.stop()
	running = []
	let seen: string | undefined
	const started = await startWith({}, async (face) => {
		seen = face.status().accepted?.id
		return succeed({ address: 'here', close: async () => undefined })
	})
	if (!started.ok) throw new Error(started.error.message)
	running.push(started.value)
	expect(seen).toMatch(/^folder:/)
	expect(started.value.addresses.api).toBe('here')
	expect(started.value.addresses.xds).toMatch(/^127\.0\.0\.1:[1-9]\d+$/)
})

test('a mass delete is taken in when a person accepts it', async () => {
	const daemon = await start()
	await untilJournal(daemon, 'mesh.applied')
	const refused = untilJournal(daemon, 'revision.refused')
	const files = ['service-a.yaml', 'service-b.yaml', 'route-service-b.yaml', 'expectations.yaml']
	for (const name of files) rmSync(join(home, 'mesh', name))
	await daemon.poll()
	await refused
	const { refused: finding } = daemon.status()
	expect(finding).toMatchObject({ acceptable: true, diagnostics: [{ code: 'SL0004' }] })
	const accepted = untilJournal(daemon, 'revision.accepted')
	const revision = finding?.revision?.id ?? ''
	expect(await daemon.command({ kind: 'accept', revision, actor: 'ada', reason: 'moved away' })).toMatchObject({
		kind: 'done',
	})
	await accepted
	expect(daemon.status()).toMatchObject({ refused: null, accepted: { id: revision } })
})

test('a mesh that does not do what it is expected to is taken in when a person accepts it', async () => {
	const daemon = await start()
	await untilJournal(daemon, 'mesh.applied')
	const refused = untilJournal(daemon, 'revision.refused')
	const file = join(home, 'mesh/expectations.yaml')
	writeFileSync(file, readFileSync(file, 'utf8').replace('route: serviceB,', 'noRoute: true } #'))
	await daemon.poll()
	await refused
	const { refused: finding } = daemon.status()
	expect(finding).toMatchObject({ acceptable: true, diagnostics: [{ code: 'SL0401' }] })
	const accepted = untilJournal(daemon, 'revision.accepted')
	const revision = finding?.revision?.id ?? ''
	await daemon.command({ kind: 'accept', revision, actor: 'ada', reason: 'the expectation is wrong' })
	await accepted
	expect(daemon.status()).toMatchObject({ refused: null, accepted: { id: revision } })
})

test('a revision that is refused leaves the last good one in force', async () => {
	const daemon = await start()
	await untilJournal(daemon, 'mesh.applied')
	const refused = untilJournal(daemon, 'revision.refused')
	const file = join(home, 'mesh/route-service-b.yaml')
	writeFileSync(file, readFileSync(file, 'utf8').replace('http2Route', 'http2Rout'))
	await daemon.poll()
	await refused
	const status = daemon.status()
	expect(status.headline.level).toBe('attention')
	expect(status.refused?.diagnostics[0]).toMatchObject({ code: 'SL0204', file: 'route-service-b.yaml' })
	expect(status.accepted).not.toBeNull()
})

test('a state directory that another daemon uses', async () => {
	await start()
	const { code, message } = await failureOf({})
	expect(code).toBe('store')
	expect(message).toContain('another process uses the state directory')
})

test('an xDS port in use; what was opened is closed again', async () => {
	const { server, port } = await listenSomewhere()
	const { code, message } = await failureOf({ xds: { address: `127.0.0.1:${port}`, identity: 'loopbackOnly' } })
	server.close()
	expect(code).toBe('xds')
	expect(message).toContain(`127.0.0.1:${port} is in use`)
	expect(message).toContain('--xds')
	await start()
})

test('the log tells each decision by the name of its journal entry', async () => {
	const lines: string[] = []
	const log = { ...silentLog, info: (event: string) => void lines.push(event) }
	const started = await startDaemon(settings, { log, clock: systemClock, random, openFace: noFace })
	if (!started.ok) throw new Error(started.error.message)
	running.push(started.value)
	await untilJournal(started.value, 'mesh.applied')
	expect(lines).toEqual(['store.opened', 'revision.accepted', 'mesh.applied'])
})

test('an API that cannot be opened', async () => {
	const started = await startWith({}, async () => fail('the port is in use'))
	expect(started).toEqual({ ok: false, error: { code: 'api', message: 'the port is in use' } })
	await start()
})

test.for([
	[
		'xDS for anybody',
		{ xds: { address: '0.0.0.0:0', identity: 'loopbackOnly' } },
		'would serve anybody who names a node',
	],
	[
		'a folder for TLS that has nothing',
		{ xds: { address: '127.0.0.1:0', identity: 'loopbackOnly', tls: { folder: '/nowhere', identities: usual } } },
		'xds-tls: /nowhere is not there',
	],
	[
		'a pattern that is true of any proxy',
		{
			xds: { address: '127.0.0.1:0', identity: 'loopbackOnly', tls: { folder: '/nowhere', identities: 'spiffe://*' } },
		},
		'xds-identities: "spiffe://*" lacks {name}',
	],
	[
		'tokens that come without TLS',
		{
			xds: { address: '127.0.0.1:0', identity: 'unproven', tokens: { file: '/nowhere', plain: 'refused' } },
		},
		'or --xds-tokens-plain yes',
	],
	[
		'tokens that come without TLS from elsewhere',
		{
			xds: { address: '0.0.0.0:0', identity: 'unproven', tokens: { file: '/nowhere', plain: 'onLoopback' } },
		},
		'whoever reads along has the tokens: give the port a certificate by --xds-tls',
	],
	[
		'tokens that are not there',
		{
			xds: { address: '127.0.0.1:0', identity: 'loopbackOnly', tokens: { file: '/nowhere', plain: 'onLoopback' } },
		},
		'xds-tokens: the file of tokens is not there: /nowhere',
	],
	[
		'a repository that runs a command',
		{ source: { kind: 'git', url: 'ext::touch x', branch: 'main', path: '.', pollMs: 1000 } },
		'with `::` is not accepted',
	],
] as const)('settings that are refused: %s', async ([, changed, words]) => {
	const { code, message } = await failureOf(changed)
	expect(code).toBe('settings')
	expect(message).toContain(words)
})

test('xDS beyond loopback over TLS: only where certificates or tokens say who a proxy is', async () => {
	const authority = await createAuthority()
	const { chain, privateKey } = await authority.issue({ names: ['xds.local'] })
	const folder = join(home, 'tls')
	mkdirSync(folder)
	writeFileSync(join(folder, 'tls.crt'), chain)
	writeFileSync(join(folder, 'tls.key'), privateKey)
	const xds = { address: '0.0.0.0:0', identity: 'loopbackOnly', tls: { folder, identities: usual } } as const
	expect((await failureOf({ xds })).message).toContain('would serve anybody who names a node')
	const file = join(home, 'tokens')
	writeFileSync(file, `mesh/apps/virtualNode/serviceA sha256:${'0'.repeat(64)}`)
	const withTokens = await start({ xds: { ...xds, tokens: { file, plain: 'refused' } } })
	writeFileSync(file, 'mesh/apps/virtualNode/serviceA the-token-itself')
	await withTokens.poll()
	await withTokens.poll()
	expect(withTokens.status().discovery).toMatchObject([{ code: 'SL0511', subject: 'the file of tokens' }])
	expect(JSON.stringify(withTokens.status())).not.toContain('the-token-itself')
	await withTokens.stop()
	writeFileSync(join(folder, 'ca.crt'), authority.certificate)
	const daemon = await start({ xds })
	rmSync(join(folder, 'tls.key'))
	await daemon.poll()
	await daemon.poll()
	const [trouble] = daemon.status().discovery
	expect(trouble).toMatchObject({ code: 'SL0507', subject: 'the certificate of xDS' })
	expect(JSON.stringify(daemon.status())).not.toContain(privateKey.split('\n')[1])
})

test('xDS beyond loopback where it was asked for', async () => {
	const daemon = await start({ xds: { address: '0.0.0.0:0', identity: 'unproven' } })
	expect(daemon.addresses.xds).toMatch(/^0\.0\.0\.0:\d+$/)
})
