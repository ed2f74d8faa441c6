import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { entryUrl } from '#base/program.ts'
import { type AppProcess, startAppProcess } from '../app-process.ts'
import { type DnsServer, startDnsServer } from '../dns-server.ts'
import { type EnvoyProcess, startEnvoy } from '../envoy-process.ts'
import { createGitRepository, type GitRepository, readFiles } from '../git-repository.ts'
import { makeTempDirectory } from '../temp.ts'
import { type DemoAddresses, formatHostPort, type HostPort, type NodeName, nodeNames } from './addresses.ts'
import { type DaemonProcess, runSluice, startDaemonProcess } from './daemon-process.ts'
import { onPort } from './mesh-edits.ts'

type OfEachNode<Value> = Readonly<Record<NodeName, Value>>

/** Everything that the demo runs on, all of it real. Disposing of it stops and removes it. */
export type Stage = AsyncDisposable & {
	readonly addresses: DemoAddresses
	readonly repository: GitRepository
	readonly daemon: DaemonProcess
	readonly envoys: OfEachNode<EnvoyProcess>
	readonly apps: OfEachNode<AppProcess>
}

export type StageOptions = {
	readonly addresses: DemoAddresses
	/** Path of the binary. */
	readonly envoy: string
	/** Told of each part that stands. */
	readonly tell: (text: string) => void
}

/** A name of the mesh's DNS domain for each node; two of them differ from the virtual services' in nothing but case. */
const hostNames: OfEachNode<string> = {
	serviceA: 'servicea.apps.local',
	serviceB: 'serviceB.apps.local',
	serviceBv2: 'serviceBv2.apps.local',
}

export async function openStage({ addresses, envoy, tell }: StageOptions): Promise<Stage> {
	await using opening = new AsyncDisposableStack()
	const folder = opening.use(makeTempDirectory('demo')).path

	const repository = opening.use(await createGitRepository(onPort(await readExample(), addresses.ingressPort)))
	tell(`Git repository ${repository.path}, branch main`)

	const apps = await ofEachNode(async (name) =>
		opening.use(await startAppProcess({ name, address: addresses.apps[name] })),
	)
	tell(`three HTTP/2 apps: ${nodeNames.map((name) => `${name} at ${formatHostPort(apps[name])}`).join(', ')}`)

	const records = Object.fromEntries(nodeNames.map((name) => [hostNames[name], addresses.proxies[name]]))
	const dns = opening.use(await startDnsServer({ records }))
	tell(`a DNS server for *.apps.local at ${formatHostPort(dns)}`)

	const { xds, http } = addresses
	const daemon = opening.use(await startDaemonProcess({ repository: repository.path, folder, xds, http }))
	tell(`sluice run: xDS at ${formatHostPort(xds)}, API at http://${formatHostPort(http)}`)

	const envoys = await ofEachNode(async (name) => {
		const bootstrap = await writeBootstrap(name, { folder, addresses, dns, app: apps[name] })
		return opening.use(await startEnvoy({ envoy, name, bootstrap: { file: bootstrap } }))
	})
	await Promise.all(Object.values(envoys).map((process) => process.ready()))
	tell(`three Envoys: ${nodeNames.map((name) => `${nodeId(name)} at ${addresses.proxies[name]}`).join(', ')}`)

	const open = opening.move()
	return { addresses, repository, daemon, envoys, apps, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

/** App Mesh's own id of a virtual node. */
export function nodeId(name: NodeName): string {
	return `mesh/apps/virtualNode/${name}`
}

/** Each started beside the others; what has started is disposed of even when another fails. */
async function ofEachNode<Value>(start: (name: NodeName) => Promise<Value>): Promise<OfEachNode<Value>> {
	const settled = await Promise.allSettled(nodeNames.map(start))
	const values = settled.map((outcome) => {
		if (outcome.status === 'rejected') throw outcome.reason
		return outcome.value
	})
	const [serviceA, serviceB, serviceBv2] = values as [Value, Value, Value]
	return { serviceA, serviceB, serviceBv2 }
}

/** `mesh-config/` lies two folders above the bundle's or the sources' entry alike: beside src/ and dist/. */
async function readExample(): Promise<Record<string, string>> {
	return { ...(await readFiles(fileURLToPath(new URL('../mesh-config', entryUrl('main'))))) }
}

type BootstrapParts = {
	readonly folder: string
	readonly addresses: DemoAddresses
	readonly dns: Pick<DnsServer, 'address' | 'port'>
	readonly app: HostPort
}

/** What `sluice bootstrap` prints, as a user would call it, in a file. */
async function writeBootstrap(name: NodeName, { folder, addresses, dns, app }: BootstrapParts): Promise<string> {
	const { xds, proxies, egressPort } = addresses
	const text = await runSluice(folder, [
		...['bootstrap', '--node', nodeId(name), '--instance', `${name}-1`, '--xds', formatHostPort(xds)],
		...['--bind', proxies[name], '--egress-port', String(egressPort), '--app', formatHostPort(app)],
		...['--dns-resolver', formatHostPort(dns)],
	])
	const file = join(folder, 'bootstrap', `${name}.yaml`)
	await mkdir(join(folder, 'bootstrap'), { recursive: true })
	await writeFile(file, text)
	return file
}
