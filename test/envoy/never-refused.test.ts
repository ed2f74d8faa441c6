// No accepted mesh makes Envoy NACK, or wait for something that is known: meshes drawn over all fields go, one after the
// other, to running Envoys of every identity and capture mode, the oldest and the newest that is supported.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { type Capture, type ProxyGroup, proxyGroupKey } from '#compile/compiled.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { cloudMapKey, type Discovered, type SecretMaterial } from '#discovery/discovered.ts'
import { startDnsServer } from '#lab/dns-server.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { withDeadline } from '#lab/until.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import { policyForRoute } from '#mesh/rollout-policy.ts'
import { splitOfRoute } from '#plan/split.ts'
import type { EffectiveMesh, RouteFront, RouteMirror, RouteSticky } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { findInconsistencies } from '#snapshot/find-inconsistencies.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { createAdmission } from '#xds/admission.ts'
import type { XdsEvent } from '#xds/fleet-view.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import type { BootstrapOptions } from '../../src/cli/bootstrap/bootstrap-options.ts'
import { makeBootstrap } from '../../src/cli/bootstrap/make-bootstrap.ts'
import { count, seed } from '../depth.ts'
import { arbitraryMesh, type DrawnDocument, filesOfDocuments } from '../fixtures/arbitrary-mesh.ts'
import type { Surroundings } from '../fixtures/arbitrary-proxy.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { createAuthority } from '../fixtures/certificates.ts'

/** As arbitrary-mesh.ts calls them. */
const identities = ['virtualNode/web', 'virtualNode/cart-v1', 'virtualNode/Cart_v2', 'virtualGateway/edge']
const block = 52
const deadlineMs = 20_000
/** Of listeners that were replaced, Envoy keeps what is left for ten minutes. */
const meshesOfOneLife = 400

const folder = makeTempDirectory('never-refused')
let around: Surroundings
let material: SecretMaterial
beforeAll(async () => {
	const authority = await createAuthority()
	const issued = await authority.issue({ names: ['web.apps.local'] })
	const certificates = join(folder.path, 'certificates')
	mkdirSync(certificates)
	const place = (name: string, text: string) => {
		writeFileSync(join(certificates, name), text)
		return join(certificates, name)
	}
	around = {
		certificateChain: place('chain.pem', issued.chain),
		privateKey: place('key.pem', issued.privateKey),
		authorities: place('authorities.pem', authority.certificate),
		accessLog: '/dev/null',
		samplingRules: place(
			'rules.json',
			JSON.stringify({ version: 2, default: { fixed_target: 1, rate: 0.1 }, rules: [] }),
		),
	}
	material = { hash: 'all the same', certificate: issued, authorities: authority.certificate }
})
afterAll(() => folder.remove())

type Target = { readonly key: string; readonly group: ProxyGroup; readonly envoy: EnvoyProcess }

/** Of every name that a mesh may know: a secret, and an instance. */
function discoveredFor(mesh: Mesh): Discovered {
	const endpoint = { ipv4: '127.0.0.1', ipv6: '::1', zone: 'eu-west-1a' }
	const queries = Object.values(mesh.resources).flatMap((resource) => {
		const discovery = resource.kind === 'VirtualNode' ? resource.spec.serviceDiscovery : null
		return discovery?.kind === 'awsCloudMap' ? [cloudMapKey(discovery)] : []
	})
	const secrets = new Map<string, SecretMaterial>()
	secrets.get = () => material
	secrets.has = () => true
	return { endpoints: new Map(queries.map((key) => [key, [endpoint]])), secrets }
}

/** As it is written; in front of each route, mirrored and drawn by users, what its policy says, as while it is under rollout. */
function inForce(mesh: Mesh): EffectiveMesh {
	const routes = Object.values(mesh.resources).filter((resource) => resource.kind === 'Route')
	const fronts = routes.flatMap((route): [string, RouteFront][] => {
		const matches = policyForRoute(mesh, route).front
		return matches.length === 0
			? []
			: [[route.id, { matches, split: splitOfRoute(route), calledAfter: route.id, standing: 'routed' }]]
	})
	const mirrors = routes.flatMap((route): [string, RouteMirror][] => {
		if (policyForRoute(mesh, route).mirrorPpm === 0) return []
		return [[route.id, { copies: splitOfRoute(route), calledAfter: route.id, standing: 'routed' }]]
	})
	const sticky = routes.flatMap((route): [string, RouteSticky][] => {
		const by = policyForRoute(mesh, route).sticky
		return by === null ? [] : [[route.id, { by, order: splitOfRoute(route) }]]
	})
	return {
		...effectiveMesh(mesh, []),
		fronts: Object.fromEntries(fronts),
		mirrors: Object.fromEntries(mirrors),
		sticky: Object.fromEntries(sticky),
	}
}

function snapshotOf(mesh: Mesh, group: ProxyGroup): Snapshot | null {
	const compiled = compileGroup(inForce(mesh), group, discoveredFor(mesh))
	if (compiled === null) return null
	const { snapshot } = encodeSnapshot(compiled, null)
	expect(findInconsistencies(snapshot)).toEqual([])
	return snapshot
}

type DrawnMesh = { readonly mesh: Mesh; readonly name: string; readonly documents: readonly DrawnDocument[] }

/** Of the meshes of this seed, those that `validate` takes, from one on. */
function drawMeshes(from: number, numRuns: number): DrawnMesh[] {
	const drawn = arbitraryMesh(around)
		.map((documents) => ({ documents, outcome: readMesh(filesOfDocuments(documents)) }))
		.filter(({ outcome }) => outcome.kind === 'ok')
	return fc.sample(drawn, { numRuns, seed: seed() + from }).map(({ documents, outcome }, index) => {
		if (outcome.kind !== 'ok') throw new Error('what is refused was filtered out')
		return { mesh: outcome.mesh, name: `mesh ${from + index} of seed ${seed()}`, documents }
	})
}

describe.for<EnvoyVersion>(['1.40.0', '1.36.2'])('Envoy %s', (version) => {
	let server: XdsServer
	let targets: readonly Target[]
	/** Group key → what looks with each event of it. */
	const looks = new Map<string, () => void>()
	const open = new AsyncDisposableStack()

	beforeAll(async () => {
		const found = await findEnvoy({ version, onProgress: console.log })
		if (!found.ok) throw new Error(found.error.message)
		const dns = open.use(await startDnsServer({ records: { 'web.apps.local': ['127.0.0.1', '::1'] } }))
		const emit = (event: XdsEvent) => {
			if (event.kind === 'progressed') looks.get(event.groupKey)?.()
		}
		const options = { clock: systemClock, log: silentLog, admission: createAdmission(), emit }
		server = createXdsServer(options)
		open.defer(() => server.close(100))
		const listening = await server.listen('127.0.0.1:0')
		if (!listening.ok) throw new Error(listening.error.message)
		const { port } = listening.value
		const minor = version.split('.').slice(0, 2).join('.')
		const start = async (path: string, capture: Capture, instance: string): Promise<Target> => {
			const [kind, name = ''] = path.split('/')
			const identity = { mesh: 'apps', kind: kind as ProxyGroup['identity']['kind'], name }
			const content = makeBootstrap({
				...(bootstrapVariants.plain as BootstrapOptions),
				identity,
				instance,
				capture,
				controlPlane: [{ address: '127.0.0.1', port }],
				admin: { address: '127.0.0.1', port: 0 },
				dnsResolver: dns,
			})
			const envoy = open.use(await startEnvoy({ envoy: found.value.path, name: instance, bootstrap: { content } }))
			const group: ProxyGroup = { identity, cohort: 'stable', capture, secrets: 'daemon', envoyMinor: minor }
			return { key: `mesh/apps/${path}#${instance}`, group, envoy }
		}
		const explicit = identities.map((path, index) => {
			const bind = `127.0.${block}.${11 + index}`
			const app = { address: '127.0.0.1', port: null }
			return start(path, { mode: 'explicit', bind, egressPort: 15_901, app }, `explicit-${index}`)
		})
		targets = await Promise.all([...explicit, start('virtualNode/web', { mode: 'intercept' }, 'intercept')])
	}, 300_000)
	afterAll(() => open.disposeAsync())

	/** Resolves to what Envoy says against it, null when it took all of it. */
	async function complaint({ key, group }: Target, snapshot: Snapshot): Promise<string | null> {
		const groupKey = proxyGroupKey(group)
		const refused = () => server.view(groupKey)?.rejections.map(({ name, text }) => `${name}: ${text}`) ?? []
		server.publish(groupKey, snapshot)
		const answered = new Promise<void>((resolve) => {
			const look = () => {
				if (refused().length > 0 || server.isCurrent(key)) resolve()
			}
			looks.set(groupKey, look)
			look()
		})
		try {
			await withDeadline(answered, { clock: systemClock, deadlineMs, what: key })
		} catch {
			return `${key} does not answer: ${JSON.stringify(server.view(groupKey)?.types)}`
		}
		return refused().length > 0 ? `${key}: ${refused().join('\n')}` : null
	}

	/** Each Envoy goes through them at its own pace. */
	async function takeAll(meshes: readonly DrawnMesh[]): Promise<void> {
		const walk = async (target: Target) => {
			for (const { mesh, name, documents } of meshes) {
				const snapshot = snapshotOf(mesh, target.group)
				const said = snapshot === null ? null : await complaint(target, snapshot)
				if (said !== null)
					throw new Error(`${name}: ${said}\n${documents.map((one) => JSON.stringify(one)).join('\n')}`)
			}
		}
		await Promise.all(targets.map(walk))
	}

	test('takes whatever validate takes', async () => {
		const total = count(150, 5_000)
		for (let from = 0; from < total; from += meshesOfOneLife) {
			if (from > 0) await Promise.all(targets.map(({ envoy }) => envoy.restart()))
			await takeAll(drawMeshes(from, Math.min(meshesOfOneLife, total - from)))
		}
		for (const { envoy } of targets) {
			const counted = await envoy.admin.stats('deprecated_feature_use|dynamic_unknown_fields|update_rejected')
			expect([...counted].filter(([, value]) => value !== 0)).toEqual([])
			// What is known is never waited for until Envoy gives up.
			const log = readFileSync(envoy.logFile, 'utf8').split('\n')
			expect(log.filter((line) => line.includes('initial fetch timed out'))).toEqual([])
		}
	})
})
