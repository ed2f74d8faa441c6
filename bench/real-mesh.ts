import { join } from 'node:path'
import { systemClock } from '#base/system-clock.ts'
import type { Daemon } from '#controller/daemon.ts'
import { startDnsServer } from '#lab/dns-server.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { createGitRepository, type GitRepository, readFiles } from '#lab/git-repository.ts'
import { LabError } from '#lab/lab-error.ts'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import { bootstrapDefaults, type HostPort } from '../src/cli/bootstrap/bootstrap-options.ts'
import { makeBootstrap } from '../src/cli/bootstrap/make-bootstrap.ts'
import { startOwnDaemon } from './own-daemon.ts'

/** The example mesh with everything real: a repository, the daemon in this process, an Envoy for each virtual node. */
export type RealMesh = AsyncDisposable & {
	readonly repository: GitRepository
	readonly daemon: Daemon
	/** The route file as it stands in the first commit. */
	readonly route: string
	/** Every Envoy has ACKed all that is served. */
	allHold(): boolean
}

export const routeFile = 'route-service-b.yaml'

const nodes = ['serviceA', 'serviceB', 'serviceBv2']
const addresses = ['127.0.9.1', '127.0.9.2', '127.0.9.3']
const startMs = 30_000

/** Resolves when all Envoys hold the first commit. No request is sent, and no application listens. */
export async function openRealMesh(say: (line: string) => void): Promise<RealMesh> {
	const found = await findEnvoy({ onProgress: say })
	if (!found.ok) throw new LabError('refused', found.error.message)
	await using opened = new AsyncDisposableStack()
	const [port = 0] = await freePorts(addresses[0] ?? '', 1)
	const files = withPort(await readFiles(join(import.meta.dirname, '../mesh-config')), port)
	const repository = opened.use(await createGitRepository(files))
	const state = opened.use(makeTempDirectory('bench'))
	const daemon = await openDaemon(repository, state.path)
	opened.defer(() => daemon.stop())
	const records = Object.fromEntries(nodes.map((node, index) => [`${node}.apps.local`, addresses[index] ?? '']))
	const dns = opened.use(await startDnsServer({ records }))
	for (const [index, node] of nodes.entries())
		opened.use(await openEnvoy({ envoy: found.value.path, node, bind: addresses[index] ?? '', daemon, dns }))
	await until({ clock: systemClock, deadlineMs: startMs, what: 'all Envoys hold the first commit' }, async () =>
		daemon.status().groups.length === nodes.length && allHold(daemon) ? true : null,
	)
	const kept = opened.move()
	return {
		repository,
		daemon,
		route: files[routeFile] ?? '',
		allHold: () => allHold(daemon),
		[Symbol.asyncDispose]: () => kept.disposeAsync(),
	}
}

function allHold(daemon: Daemon): boolean {
	const { groups } = daemon.status()
	return groups.every(
		({ connected, types }) => connected > 0 && Object.values(types).every(({ current }) => current === connected),
	)
}

function openDaemon(repository: GitRepository, stateDirectory: string): Promise<Daemon> {
	// It is told of each commit: polling plays no part.
	const source = { kind: 'git', url: repository.path, branch: 'main', path: '', pollMs: 3_600_000 } as const
	return startOwnDaemon({ source, stateDirectory })
}

type EnvoyOptions = {
	readonly envoy: string
	readonly node: string
	readonly bind: string
	readonly daemon: Daemon
	readonly dns: HostPort
}

async function openEnvoy({ envoy, node, bind, daemon, dns }: EnvoyOptions): Promise<EnvoyProcess> {
	const [egressPort = 0] = await freePorts(bind, 1)
	const content = makeBootstrap({
		identity: { mesh: 'apps', kind: 'virtualNode', name: node },
		instance: 'bench',
		capture: { mode: 'explicit', bind, egressPort, app: { address: '127.0.0.1', port: null } },
		controlPlane: [{ address: '127.0.0.1', port: Number(daemon.addresses.xds.split(':')[1]) }],
		locality: null,
		admin: { address: '127.0.0.1', port: 0 },
		dnsResolver: { address: dns.address, port: dns.port },
		maxDownstreamConnections: bootstrapDefaults.maxDownstreamConnections,
	})
	const process = await startEnvoy({ envoy, name: node, bootstrap: { content } })
	await process.ready()
	return process
}

/** The example on a port that needs no privilege. */
function withPort(files: Readonly<Record<string, string>>, port: number): Record<string, string> {
	const moved = Object.entries(files).map(([name, text]) => [
		name,
		text.replaceAll('port: 80,', `port: ${port},`).replaceAll('.apps.local/', `.apps.local:${port}/`),
	])
	return Object.fromEntries(moved)
}
