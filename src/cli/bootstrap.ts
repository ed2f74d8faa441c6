import { type Command, Option } from 'commander'
import {
	type BootstrapFlags,
	collectAddress,
	parseAbsolutePath,
	parseApp,
	parseIp,
	parseIpPort,
	parseNode,
	parsePlace,
	parsePort,
	parseSocketPath,
} from './bootstrap/bootstrap-flags.ts'
import { controlPlaneSecretFiles } from './bootstrap/control-plane-tls.ts'
import { tokenSecretFile } from './bootstrap/control-plane-token.ts'
import { flagsToOptions } from './bootstrap/flags-to-options.ts'
import { placeSecretFiles } from './bootstrap/place-secret-files.ts'
import { findProxyInMesh, type ProxyInMesh } from './bootstrap/proxy-in-mesh.ts'
import { renderBootstrapYaml } from './bootstrap/render-bootstrap-yaml.ts'
import { type InterceptTool, interceptDefaults, interceptTools } from './intercept/intercept-options.ts'
import { interceptScript } from './intercept/intercept-script.ts'
import { type InterceptTexts, readInterceptOptions } from './intercept/read-intercept-options.ts'
import { readMeshFolder } from './read-mesh-folder.ts'
import { whyNoToken } from './token/token-file.ts'
import { type VerbContext, verbGroups } from './verb.ts'

/** Of the script's flags only `--egress-port` is also one of the bootstrap. */
type ScriptFlags = Omit<InterceptTexts, 'egressPort' | 'ipv6'> & {
	readonly intercept?: InterceptTool
	readonly ipv6?: true
}
type Flags = BootstrapFlags & ScriptFlags

export function addBootstrap(program: Command, context: VerbContext): void {
	const command = program
		.command('bootstrap')
		.helpGroup(verbGroups.offline)
		.summary("write the file that a proxy's Envoy is started with")
		.description(
			"Prints Envoy's bootstrap for a virtual node or a virtual gateway; everything else comes from the daemon. With --intercept: the script that leads an application's traffic through it.",
		)
	addProxyFlags(command)
	addTlsFlags(command)
	addCaptureFlags(command)
	addStatisticsFlags(command)
	addScriptFlags(command)
	command
		.addHelpText('after', afterHelp)
		.action((flags: Flags) => (flags.intercept === undefined ? print(flags, context) : printScript(flags, context)))

	async function print(flags: BootstrapFlags, { terminal }: VerbContext): Promise<void> {
		const proxy = await lookUp(flags)
		if (proxy === 'told') return
		const options = flagsToOptions(flags, proxy?.stats ?? null)
		if (!options.ok) return command.error(`error: ${options.error}`)
		const { tls, token } = options.value
		const files = new Map([
			...(tls === undefined ? [] : controlPlaneSecretFiles(tls)),
			...(token === undefined ? [] : [tokenSecretFile(token)]),
		])
		const problem = token === undefined ? null : await whyNoToken(token.file)
		if (problem !== null) return command.error(`error: --xds-token ${token?.file} ${problem}`)
		if (files.size > 0) {
			const placed = await placeSecretFiles(files)
			if (!placed.ok) return command.error(`error: ${placed.error}`)
			terminal.talk(`note: beside it Envoy reads ${[...files.keys()].join(' and ')}, which have been written`)
		}
		terminal.out(renderBootstrapYaml(options.value).trimEnd())
	}

	async function printScript(flags: Flags, { terminal, environment }: VerbContext): Promise<void> {
		if (flags.node?.kind === 'virtualGateway')
			return command.error('error: a virtual gateway is dialled on its own ports: there is nothing to intercept')
		const proxy = await lookUp(flags)
		if (proxy === 'told') return
		const options = readInterceptOptions({
			tool: flags.intercept ?? 'iptables',
			flags: scriptTexts(flags),
			environment,
			listenerPorts: proxy?.listenerPorts ?? null,
		})
		if (!options.ok) return command.error(`error: ${options.error}`)
		terminal.out(interceptScript(options.value).trimEnd())
		const { ingressPort, egressPort } = options.value
		if (ingressPort === interceptDefaults.ingressPort && egressPort === interceptDefaults.egressPort) return
		const listeners = `${interceptDefaults.ingressPort} and ${interceptDefaults.egressPort}`
		terminal.talk(`note: an Envoy that Sluice serves with --capture intercept listens on ${listeners}`)
	}

	/** Null without a folder; `told`: what is wrong with it has been said. */
	async function lookUp({ mesh: folder, node }: BootstrapFlags): Promise<ProxyInMesh | 'told' | null> {
		if (folder === undefined) return null
		if (node === undefined) return command.error("error: required option '--node <id>' not specified")
		const mesh = await readMeshFolder(folder, context)
		if (mesh === null) return 'told'
		const found = findProxyInMesh(mesh, node)
		return found.ok ? found.value : command.error(`error: ${folder}: ${found.error}`)
	}
}

function addProxyFlags(command: Command): void {
	command
		.option('--node <id>', "App Mesh's id: mesh/apps/virtualNode/A, mesh/apps/virtualGateway/B, or its ARN", parseNode)
		.option(
			'--xds <host:port...>',
			'where the daemon is; a second one is used while the first does not answer (default: 127.0.0.1:18000)',
			collectAddress,
		)
		.option('--instance <name>', "tells replicas apart, and stays the same over restarts (default: the host's name)")
		.option('--dns-resolver <ip:port>', 'the DNS server to ask (default: what the system is set to)', parseIpPort)
		.option('--admin <ip:port>', "Envoy's own admin port (default: 127.0.0.1:9901)", parseIpPort)
		.option('--zone <name>', 'availability zone')
		.option('--region <name>', 'region')
		.option('--sds-socket <path>', 'secrets come from an SDS server here, not from the daemon', parseSocketPath)
		.option('--mesh <folder>', 'read statistics settings and listener ports from the mesh in this folder')
}

function addTlsFlags(command: Command): void {
	command
		.optionsGroup('TLS to the daemon (files on the machine of Envoy; new ones are taken up while it runs):')
		.option('--xds-ca <file>', "authorities of the daemon's certificate; without it there is no TLS", parseAbsolutePath)
		.option('--xds-cert <file>', "the proxy's certificate, with its chain: it says who the proxy is", parseAbsolutePath)
		.option('--xds-key <file>', 'its key', parseAbsolutePath)
		.option('--xds-token <file>', 'in the place of these: its token, without a line break', parseAbsolutePath)
		.option('--xds-server-name <name>', "DNS name, IP or URI of the daemon's certificate (default: the host of --xds)")
		.option(
			'--xds-secrets <folder>',
			'where the files go that say where these are (default: beside --xds-ca)',
			parseAbsolutePath,
		)
}

function addCaptureFlags(command: Command): void {
	const modes = ['explicit', 'intercept'] as const
	command
		.optionsGroup('How traffic gets into the proxy:')
		.addOption(
			new Option('--capture <mode>', 'explicit: clients dial it; intercept: the system redirects to it')
				.choices(modes)
				.default('explicit'),
		)
		.option('--bind <ip>', 'explicit: address at which others reach it (default: 0.0.0.0)', parseIp)
		.option('--app <ip[:port]>', 'explicit: where the application listens (default: 127.0.0.1)', parseApp)
		.option('--egress-port <port>', 'where the application sends its requests (default: 15001)', parsePort)
}

function addStatisticsFlags(command: Command): void {
	command
		.optionsGroup('Who reads the statistics beside the daemon:')
		.option('--statsd <ip:port>', 'push them to StatsD', parseIpPort)
		.option('--dogstatsd <ip:port>', 'push them to DogStatsD', parseIpPort)
		.option('--statsd-prefix <name>', 'first part of their names there')
		.option('--prometheus <[ip:]port>', 'answer /stats/prometheus here, and nothing else', parsePlace)
		.option('--stats-tags', "say App Mesh's mesh and node with each")
}

function addScriptFlags(command: Command): void {
	command
		.optionsGroup("The script of --intercept (App Mesh's variables, APPMESH_APP_PORTS and so on, are read as well):")
		.addOption(
			new Option('--intercept [tool]', 'print the script that redirects traffic, not the bootstrap')
				.choices(interceptTools)
				.preset('iptables'),
		)
		.option('--app-ports <ports>', "where the application listens: 8080,8081 or none (default: --mesh's listeners)")
		.option('--ignore-uid <number>', 'the user that Envoy runs as (default: 1337)')
		.option('--ignore-gid <number>', 'the group that Envoy runs as')
		.option('--ingress-port <port>', "Envoy's listener for what comes in (default: 15000)")
		.option('--ignore-ips <ips>', 'where the application goes without Envoy (default: AWS metadata)')
		.option('--ignore-ports <ports>', 'likewise, to any address; 22 always is')
		.option('--ipv6', 'redirect IPv6 too')
}

function scriptTexts({ egressPort, ipv6, ...flags }: Flags): InterceptTexts {
	const { ignoreUid, ignoreGid, appPorts, ingressPort, ignoreIps, ignorePorts } = flags
	const texts = { ignoreUid, ignoreGid, appPorts, ingressPort, ignoreIps, ignorePorts, egressPort, ipv6: ipv6 && '1' }
	const written = Object.entries(texts).filter(([, value]) => value !== undefined)
	return Object.fromEntries(written.map(([name, value]) => [name, String(value)]))
}

const afterHelp = `
Examples:
  sluice bootstrap --node mesh/apps/virtualNode/serviceA > envoy.yaml && envoy -c envoy.yaml
  sluice bootstrap --node mesh/apps/virtualGateway/edge --bind 10.0.0.7 > envoy.yaml
  sluice bootstrap --node mesh/apps/virtualNode/serviceA --capture intercept > envoy.yaml
  sluice bootstrap --intercept --app-ports 8080 > capture.sh && sudo sh capture.sh`
