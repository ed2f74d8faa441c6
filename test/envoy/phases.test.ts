// What both ends of a connection must agree on, in one commit, on real Envoys: no request fails on the way.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { type Mark, markNow } from '#lab/mark.ts'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'
import { createAuthority } from '../fixtures/certificates.ts'
import { eventually } from './fixtures/eventually.ts'
import { readHeldConfig } from './fixtures/held-config.ts'
import { placeFiles } from './fixtures/place-certificates.ts'
import { callerFile, callerYaml, hostName, smallMesh } from './fixtures/small-mesh.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

let stage: Stage
let files: TempDirectory
let load: Load

beforeAll(async () => {
	files = makeTempDirectory('certificates')
	const authority = await createAuthority()
	placeFiles(files.path, 'server', await authority.issue({ names: [hostName('shop1')] }))
	writeFileSync(join(files.path, 'authority.crt'), authority.certificate)
	stage = await openStage({
		block: 83,
		services: ['shop'],
		proxies: { 'front-1': 'front', 'front-2': 'front', 'shop1-a': 'shop1', 'shop1-b': 'shop1' },
		stepsPercent: [50],
	})
	load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 200 })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
	files?.remove()
})

const tls = () =>
	`tls: { mode: STRICT, certificate: { file: { certificateChain: ${files.path}/server.crt, privateKey: ${files.path}/server.key } } }`
const trust = () => `validation: { trust: { file: { certificateChain: ${files.path}/authority.crt } } }`

/** The file of the service, whose first version listens as said. */
function serviceYaml(listener: (plain: string) => string): string {
	const options = { services: ['shop'], port: stage.port, stepsPercent: [50], guards: '[]', replicated: ['shop1'] }
	const [plain] = /portMapping: \{[^}]*\}/.exec(smallMesh(options)['shop.yaml'] ?? '') ?? ['']
	return (smallMesh(options)['shop.yaml'] ?? '').replace(plain, listener(plain))
}

/** The caller's file, whose backends speak TLS as said. */
function withPolicy(policy: string): string {
	const plain = callerYaml(['shop'], stage.port)
	return plain.replace(/\n {2}backends:/, `\n  backendDefaults: { clientPolicy: { tls: { ${policy} } } }\n  backends:`)
}

/** Commits, and gives the records of the meshes that were applied until all of it was, with what the load saw. */
async function commitAndFollow(message: string, edits: Readonly<Record<string, string>>, applied: number) {
	const after = stage.daemon.journal().at(-1)?.sequence ?? 0
	const begun = markNow()
	await stage.commit(message, edits)
	const meshes = await eventuallyApplied(after, applied)
	await allHold()
	return { meshes, begun }
}

async function eventuallyApplied(after: number, count: number) {
	const found = () =>
		stage.daemon.journal().filter(({ event, sequence }) => event === 'mesh.applied' && sequence > after)
	await eventually(`${count} meshes are applied`, () => found().length >= count)
	return found()
}

/** Every Envoy holds what is served, and nothing more is held back. */
async function allHold(): Promise<void> {
	await stage.daemon.until('every Envoy holds it', ({ groups, heldBack }) => {
		const pending = groups.flatMap(({ types }) => Object.values(types)).reduce((sum, type) => sum + type.pending, 0)
		return pending === 0 && heldBack.length === 0 ? true : null
	})
}

async function noneFailed(since: Mark): Promise<void> {
	const sent = load.soFar().requests
	await eventually('more requests pass', () => load.soFar().requests > sent + 100)
	const { requests, failed } = await load.between(since, markNow())
	expect(requests).toBeGreaterThan(100)
	expect(failed).toBe(0)
}

/** What the caller speaks to the first version, and what each of its servers takes. */
async function held() {
	const { clusters } = await readHeldConfig(stage.envoy('front-1'))
	const cluster = clusters
		.map((each) => JSON.stringify(each))
		.find((text) => text.includes(`_shop1_http2_${stage.port}"`))
	const takes = ['shop1-a', 'shop1-b'].map(async (instance) => {
		const text = JSON.stringify((await readHeldConfig(stage.envoy(instance))).listeners)
		return { tls: text.includes('DownstreamTlsContext'), both: text.includes('"raw_buffer"') }
	})
	return { speaksTls: cluster?.includes('UpstreamTlsContext'), takes: await Promise.all(takes) }
}

test('TLS begins: servers take both, then the callers change, then plain text is taken no more', async () => {
	const edits = { 'shop.yaml': serviceYaml((plain) => `${plain}, ${tls()}`), [callerFile]: withPolicy(trust()) }
	const { meshes, begun } = await commitAndFollow('Encrypt what goes to the shop', edits, 3)
	expect(meshes).toHaveLength(3)
	await noneFailed(begun)
	const tlsAlone = { tls: true, both: false }
	expect(await held()).toEqual({ speaksTls: true, takes: [tlsAlone, tlsAlone] })
})

test('TLS ends the same way', async () => {
	const edits = { 'shop.yaml': serviceYaml((plain) => plain), [callerFile]: callerYaml(['shop'], stage.port) }
	const { meshes, begun } = await commitAndFollow('Encrypt it no more', edits, 3)
	expect(meshes).toHaveLength(3)
	await noneFailed(begun)
	const plainAlone = { tls: false, both: false }
	expect(await held()).toEqual({ speaksTls: false, takes: [plainAlone, plainAlone] })
})
