import { hostname } from 'node:os'
import { type Command, InvalidArgumentError } from 'commander'
import { type BootstrapOptions, bootstrapDefaults, type HostPort } from './bootstrap/bootstrap-options.ts'
import { renderBootstrapYaml } from './bootstrap/render-bootstrap-yaml.ts'
import { parseHostPort } from './parse-address.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type BootstrapFlags = {
	readonly node: BootstrapOptions['identity']
	readonly xds: readonly HostPort[]
	readonly bind: string
	readonly app: { readonly address: string; readonly port: number | null }
	readonly egressPort: number
	readonly instance: string
	readonly dnsResolver?: HostPort
	readonly admin: HostPort
	readonly zone?: string
	readonly region?: string
}

export function addBootstrap(program: Command, { terminal }: VerbContext): void {
	const { admin, bind, egressPort, appAddress, controlPlane } = bootstrapDefaults
	program
		.command('bootstrap')
		.helpGroup(verbGroups.offline)
		.summary("write the file that a node's Envoy is started with")
		.description("Prints Envoy's bootstrap for one virtual node. Everything else comes from the daemon.")
		.requiredOption('--node <id>', "App Mesh's id of the node: mesh/apps/virtualNode/serviceA, or its ARN", parseNode)
		.option(
			'--xds <host:port...>',
			'where the daemon is; a second one is used while the first does not answer',
			collectAddress,
			[],
		)
		.option('--bind <address>', 'address that the listeners bind', bind)
		.option('--app <address>', 'where the application listens: ADDRESS or HOST:PORT', parseApp, {
			address: appAddress,
			port: null,
		})
		.option('--egress-port <port>', 'where the application sends its requests', parsePort, egressPort)
		.option('--instance <name>', 'tells replicas of the node apart, and stays the same over restarts', hostname())
		.option('--dns-resolver <ip:port>', 'the DNS server to ask (default: what the system is set to)', parseAddress)
		.option('--admin <host:port>', "Envoy's own admin port", parseAddress, { ...admin })
		.option('--zone <name>', 'availability zone')
		.option('--region <name>', 'region')
		.addHelpText(
			'after',
			'\nExample:\n  sluice bootstrap --node mesh/apps/virtualNode/serviceA > envoy.yaml && envoy -c envoy.yaml',
		)
		.action((flags: BootstrapFlags) => {
			const [first = controlPlane[0], second] = flags.xds
			terminal.out(renderBootstrapYaml(optionsOf(flags, second === undefined ? [first] : [first, second])).trimEnd())
		})
}

function optionsOf(flags: BootstrapFlags, controlPlane: BootstrapOptions['controlPlane']): BootstrapOptions {
	const { node, instance, bind, egressPort, app, admin, dnsResolver, zone, region } = flags
	return {
		identity: node,
		instance,
		capture: { mode: 'explicit', bind, egressPort, app },
		controlPlane,
		locality: zone === undefined && region === undefined ? null : { region: region ?? '', zone: zone ?? '' },
		admin,
		dnsResolver: dnsResolver ?? null,
		maxDownstreamConnections: bootstrapDefaults.maxDownstreamConnections,
	}
}

/** `mesh/M/virtualNode/N`, also at the end of an ARN, as App Mesh writes it in APPMESH_RESOURCE_ARN. */
function parseNode(text: string): BootstrapOptions['identity'] {
	const [, mesh, kind, name] =
		/^(?:arn:[^/]*:)?mesh\/([^/\s]+)\/(virtualNode|virtualGateway)\/([^/\s]+)$/.exec(text) ?? []
	if (mesh === undefined || name === undefined) throw new InvalidArgumentError('Write mesh/MESH/virtualNode/NAME.')
	return { mesh, kind: kind === 'virtualGateway' ? 'virtualGateway' : 'virtualNode', name }
}

function collectAddress(text: string, before: readonly HostPort[]): readonly HostPort[] {
	if (before.length === 2) throw new InvalidArgumentError('There are at most two.')
	return [...before, parseAddress(text)]
}

function parseAddress(text: string): HostPort {
	const parsed = parseHostPort(text)
	if (!parsed.ok) throw new InvalidArgumentError(`${parsed.error}.`)
	return parsed.value
}

function parseApp(text: string): BootstrapFlags['app'] {
	return text.includes(':') ? parseAddress(text) : { address: text, port: null }
}

function parsePort(text: string): number {
	const port = Number(text)
	if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('A port is 1 to 65535.')
	return port
}
