import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'
import type { ProxyIdentity } from '#compile/compiled.ts'
import { parseHostPort } from '../parse-address.ts'
import type { HostPort } from './bootstrap-options.ts'

/** What commander hands over. A flag that was not given is not there, so that it can be told from its default. */
export type BootstrapFlags = {
	readonly node?: ProxyIdentity
	readonly xds?: readonly HostPort[]
	readonly instance?: string
	readonly dnsResolver?: HostPort
	readonly admin?: HostPort
	readonly zone?: string
	readonly region?: string
	readonly capture: 'explicit' | 'intercept'
	readonly bind?: string
	readonly app?: { readonly address: string; readonly port: number | null }
	readonly egressPort?: number
	readonly sdsSocket?: string
	readonly xdsCa?: string
	readonly xdsCert?: string
	readonly xdsKey?: string
	readonly xdsToken?: string
	readonly xdsServerName?: string
	readonly xdsSecrets?: string
	readonly mesh?: string
	readonly statsd?: HostPort
	readonly dogstatsd?: HostPort
	readonly statsdPrefix?: string
	/** An address of null: the one that the listeners bind. */
	readonly prometheus?: { readonly address: string | null; readonly port: number }
	readonly statsTags?: true
}

const largestPath = 107

/** `mesh/M/virtualNode/N`, also at the end of an ARN, as App Mesh writes it in APPMESH_RESOURCE_ARN. */
export function parseNode(text: string): ProxyIdentity {
	const [, mesh, kind, name] =
		/^(?:arn:[^/]*:)?mesh\/([\w.-]{1,255})(?:@[0-9]{12})?\/(virtualNode|virtualGateway)\/([\w.-]{1,255})$/.exec(text) ??
		[]
	if (mesh === undefined || name === undefined)
		throw new InvalidArgumentError('Write mesh/MESH/virtualNode/NAME or mesh/MESH/virtualGateway/NAME.')
	return { mesh, kind: kind === 'virtualGateway' ? 'virtualGateway' : 'virtualNode', name }
}

export function collectAddress(text: string, before: readonly HostPort[] | undefined): readonly HostPort[] {
	if (before?.length === 2) throw new InvalidArgumentError('There are at most two.')
	return [...(before ?? []), parseAddress(text)]
}

function parseAddress(text: string): HostPort {
	const parsed = parseHostPort(text)
	if (!parsed.ok) throw new InvalidArgumentError(`${parsed.error}.`)
	return parsed.value
}

export function parseIpPort(text: string): HostPort {
	const parsed = parseAddress(text)
	if (isIP(parsed.address) === 0) throw new InvalidArgumentError('Write an IP address and a port, as 127.0.0.1:8125.')
	return parsed
}

export function parseIp(text: string): string {
	if (isIP(text) === 0) throw new InvalidArgumentError('Write an IP address.')
	return text
}

/** ADDRESS or HOST:PORT; an IPv6 address with a port stands in brackets. */
export function parseApp(text: string): NonNullable<BootstrapFlags['app']> {
	if (isIP(text) !== 0) return { address: text, port: null }
	return parseIpPort(text)
}

export function parsePlace(text: string): NonNullable<BootstrapFlags['prometheus']> {
	return /^[0-9]+$/.test(text) ? { address: null, port: parsePort(text) } : parseIpPort(text)
}

export function parseAbsolutePath(text: string): string {
	if (!text.startsWith('/')) throw new InvalidArgumentError('Write an absolute path, as it is on the machine of Envoy.')
	return text
}

export function parsePort(text: string): number {
	const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
	if (port < 1 || port > 65_535) throw new InvalidArgumentError('A port is 1 to 65535.')
	return port
}

/** Longer names than these do not fit into a socket's address. */
export function parseSocketPath(text: string): string {
	if (!text.startsWith('/') || Buffer.byteLength(text) > largestPath)
		throw new InvalidArgumentError(`Write an absolute path of at most ${largestPath} bytes.`)
	return text
}
