import { fail, type Result, succeed } from '#base/result.ts'
import { type BindProblem, canBind, freePorts } from '../ports.ts'

/** The virtual nodes of `mesh-config/`, by their names in the mesh. */
export const nodeNames = ['serviceA', 'serviceB', 'serviceBv2'] as const
export type NodeName = (typeof nodeNames)[number]

export type HostPort = { readonly address: string; readonly port: number }

/** Where everything of the demo listens. All of it is loopback. */
export type DemoAddresses = {
	/** Each Envoy has an address of its own, as it would on a machine of its own. */
	readonly proxies: Readonly<Record<NodeName, string>>
	readonly apps: Readonly<Record<NodeName, string>>
	readonly egressPort: number
	/** Port of every virtual node: 80 as in `mesh-config/` where this user may bind it, else 8080. */
	readonly ingressPort: number
	readonly xds: HostPort
	readonly http: HostPort
}

const egressPort = 15_001
const ingressPorts = [80, 8080]
/** 127.0.N.x: another demo, or a test, may have the first ones. */
const blocks = [0, 1, 2, 3, 4, 5, 6, 7]
const daemonHost = '127.0.0.1'

/** Addresses that were free a moment ago; fails with one line that ends with the way out. */
export async function findAddresses(): Promise<Result<DemoAddresses, string>> {
	const problems: BindProblem[] = []
	for (const ingressPort of ingressPorts) {
		for (const block of blocks) {
			const proxies = inBlock(block, 11)
			const found = await canBindAll(Object.values(proxies), [egressPort, ingressPort])
			if (found.ok) return succeed(await withDaemon({ proxies, apps: inBlock(block, 21), egressPort, ingressPort }))
			problems.push(found.error)
			if (found.error.kind === 'privileged') break
		}
	}
	// Of the ports that every user may bind, at the first addresses: what holds for these most likely holds for all.
	const problem = problems.at(-blocks.length)
	if (problem?.kind !== 'inUse') return fail(problem?.message ?? 'no address is free')
	return fail(
		`port ${egressPort} or ${ingressPorts.join(', ')} is in use on every loopback address: stop what listens there`,
	)
}

function inBlock(block: number, first: number): Record<NodeName, string> {
	const address = (offset: number) => `127.0.${block}.${first + offset}`
	return { serviceA: address(0), serviceB: address(1), serviceBv2: address(2) }
}

async function canBindAll(addresses: readonly string[], ports: readonly number[]): Promise<Result<void, BindProblem>> {
	for (const address of addresses) {
		for (const port of ports) {
			const bound = await canBind(address, port)
			if (!bound.ok) return bound
		}
	}
	return succeed(undefined)
}

/** The daemon's usual ports where they are free, so that `sluice status` finds it without being told where. */
async function withDaemon(rest: Omit<DemoAddresses, 'xds' | 'http'>): Promise<DemoAddresses> {
	const usual = [18_000, 8300]
	const areFree = (await canBindAll([daemonHost], usual)).ok
	const [xds = 0, http = 0] = areFree ? usual : await freePorts(daemonHost, 2)
	return { ...rest, xds: { address: daemonHost, port: xds }, http: { address: daemonHost, port: http } }
}

export function formatHostPort({ address, port }: HostPort): string {
	return `${address}:${port}`
}
