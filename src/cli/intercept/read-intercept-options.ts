import { isIP } from 'node:net'
import { fail, type Result, succeed } from '#base/result.ts'
import {
	type InterceptAddress,
	type InterceptOptions,
	type InterceptTool,
	interceptDefaults,
} from './intercept-options.ts'

/** What was written, as text. A flag comes before its variable; an empty variable counts as none. */
export type InterceptTexts = Readonly<Partial<Record<keyof typeof interceptVariables, string>>>

/** Flag, as commander names it → the variable that App Mesh's script and ECS's task definitions have for it. */
export const interceptVariables = {
	ignoreUid: 'APPMESH_IGNORE_UID',
	ignoreGid: 'APPMESH_IGNORE_GID',
	appPorts: 'APPMESH_APP_PORTS',
	ingressPort: 'APPMESH_ENVOY_INGRESS_PORT',
	egressPort: 'APPMESH_ENVOY_EGRESS_PORT',
	ignoreIps: 'APPMESH_EGRESS_IGNORED_IP',
	ignorePorts: 'APPMESH_EGRESS_IGNORED_PORTS',
	ipv6: 'APPMESH_ENABLE_IPV6',
} as const

type Name = keyof typeof interceptVariables

export type InterceptSources = {
	readonly tool: InterceptTool
	readonly flags: InterceptTexts
	readonly environment: Readonly<Record<string, string | undefined>>
	/** Ports of the node's listeners, where the mesh was read. */
	readonly listenerPorts: readonly number[] | null
}

const largestId = 2 ** 32 - 2

/** Takes everything apart and puts nothing through. A failure is a sentence that names the flag or the variable. */
export function readInterceptOptions(sources: InterceptSources): Result<InterceptOptions, string> {
	const problems: string[] = []

	function read<Value>(name: Name, parse: (text: string) => Value | null, expected: string): Value | null {
		const found = writtenText(name, sources)
		if (found === null) return null
		const value = parse(found.text)
		if (value === null) problems.push(`${found.place} is ${JSON.stringify(found.text)}: write ${expected}`)
		return value
	}

	const uid = read('ignoreUid', parseId, 'the number of a user')
	const gid = read('ignoreGid', parseId, 'the number of a group')
	const appPorts = read('appPorts', parseAppPorts, 'ports, as 8080,8081, or none') ?? sources.listenerPorts
	const ingressPort = read('ingressPort', parsePort, aPort) ?? interceptDefaults.ingressPort
	const egressPort = read('egressPort', parsePort, aPort) ?? interceptDefaults.egressPort
	const addresses = read('ignoreIps', parseAddresses, 'IP addresses, as 169.254.169.254,10.0.0.0/8')
	const ports = read('ignorePorts', parsePorts, 'ports, as 25,587')
	const ipv6 = read('ipv6', parseSwitch, '1 or 0') ?? 'untouched'
	if (appPorts === null && problems.length === 0)
		problems.push('say where the application listens: --app-ports 8080,8081 (or none), or --mesh FOLDER with --node ID')
	const own = [ingressPort, egressPort].find((port) => appPorts?.includes(port))
	if (own !== undefined) problems.push(`the application cannot listen on ${own}: Envoy does`)
	if (ingressPort === egressPort) problems.push(`Envoy cannot take both directions on port ${ingressPort}`)
	if (problems.length > 0) return fail(problems.join('; '))
	return succeed({
		tool: sources.tool,
		ignored: uid === null && gid === null ? { uid: interceptDefaults.ignoreUid, gid } : { uid, gid },
		appPorts: appPorts ?? [],
		ingressPort,
		egressPort,
		ignoredAddresses: (addresses ?? parseAddresses(interceptDefaults.ignoredAddresses) ?? []).filter(
			({ family }) => family === 'ipv4' || ipv6 === 'captured',
		),
		ignoredPorts: sorted([interceptDefaults.sshPort, ...(ports ?? [])]),
		ipv6,
	})
}

const aPort = 'a port, 1 to 65535'

function writtenText(name: Name, { flags, environment }: InterceptSources): { text: string; place: string } | null {
	const flag = flags[name]
	if (flag !== undefined)
		return { text: flag, place: `flag --${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}` }
	const variable = interceptVariables[name]
	const text = environment[variable] ?? ''
	return text === '' ? null : { text, place: `variable ${variable}` }
}

function parseId(text: string): number | null {
	return /^[0-9]{1,10}$/.test(text) && Number(text) <= largestId ? Number(text) : null
}

function parsePort(text: string): number | null {
	const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
	return port >= 1 && port <= 65_535 ? port : null
}

function parsePorts(text: string): readonly number[] | null {
	const ports = text.split(',').map((part) => parsePort(part.trim()))
	return ports.every((port) => port !== null) ? sorted(ports) : null
}

/** An empty flag is refused rather than taken for none: it is what an unset variable of somebody's script leaves. */
function parseAppPorts(text: string): readonly number[] | null {
	return text === 'none' ? [] : parsePorts(text)
}

function parseAddresses(text: string): readonly InterceptAddress[] | null {
	const addresses = text.split(',').map((part) => parseAddress(part.trim()))
	return addresses.every((address) => address !== null) ? addresses : null
}

/** Node's own check lets a zone through (`fe80::1%eth0`), which no rule can hold. */
function parseAddress(text: string): InterceptAddress | null {
	const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? []
	const version = isIP(address)
	const most = version === 4 ? 32 : 128
	if (version === 0 || Number(bits ?? 0) > most) return null
	return { family: version === 4 ? 'ipv4' : 'ipv6', text: bits === undefined ? address : `${address}/${Number(bits)}` }
}

function parseSwitch(text: string): InterceptOptions['ipv6'] | null {
	switch (text.toLowerCase()) {
		case '1':
		case 'true':
			return 'captured'
		case '0':
		case 'false':
			return 'untouched'
		default:
			return null
	}
}

function sorted(numbers: readonly number[]): readonly number[] {
	return [...new Set(numbers)].sort((left, right) => left - right)
}
