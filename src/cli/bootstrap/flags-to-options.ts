import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { isLoopback } from '#base/loopback.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { Capture, ProxyIdentity } from '#compile/compiled.ts'
import type { StatsSettings } from '#mesh/proxy-spec.ts'
import type { BootstrapFlags } from './bootstrap-flags.ts'
import { type BootstrapOptions, bootstrapDefaults } from './bootstrap-options.ts'
import type { ControlPlaneTls } from './control-plane-tls.ts'
import type { ControlPlaneToken } from './control-plane-token.ts'

const instancePattern = /^[\w.:/@-]{1,255}$/

/**
 * What the flags ask for. `meshStats` is what the mesh says of statistics; a flag comes before it. A failure is a
 * sentence about flags that do not go together.
 */
export function flagsToOptions(
	flags: BootstrapFlags,
	meshStats: StatsSettings | null,
): Result<BootstrapOptions, string> {
	const { node, instance = hostname(), zone, region, sdsSocket, admin = bootstrapDefaults.admin } = flags
	if (node === undefined) return fail("required option '--node <id>' not specified")
	if (!instancePattern.test(instance)) {
		return fail(`--instance is ${JSON.stringify(instance)}: it has at most 255 letters, digits and _ . : / @ -`)
	}
	const capture = captureOf(flags, node)
	if (!capture.ok) return capture
	const stats = statsOf(flags, meshStats)
	if (!stats.ok) return stats
	if (stats.value.prometheus !== null && admin.port === 0)
		return fail('Prometheus is answered by the admin interface, which needs a port of its own: --admin 127.0.0.1:9901')
	const [first = bootstrapDefaults.controlPlane[0], second] = flags.xds ?? []
	const controlPlane = second === undefined ? ([first] as const) : ([first, second] as const)
	const tls = tlsOf(flags, controlPlane)
	if (!tls.ok) return tls
	const token = tokenOf(flags, controlPlane)
	if (!token.ok) return token
	return succeed({
		identity: node,
		instance,
		capture: capture.value,
		controlPlane,
		locality: zone === undefined && region === undefined ? null : { region: region ?? '', zone: zone ?? '' },
		admin,
		dnsResolver: flags.dnsResolver ?? null,
		maxDownstreamConnections: bootstrapDefaults.maxDownstreamConnections,
		stats: stats.value,
		...(tls.value === null ? {} : { tls: tls.value }),
		...(token.value === null ? {} : { token: token.value }),
		...(sdsSocket === undefined ? {} : { sdsSocket }),
		...(flags.statsTags === undefined ? {} : { statsTags: 'appMesh' }),
	})
}

/** A gateway is dialled in both modes; `intercept` then says that its listeners are where App Mesh had them. */
function captureOf(
	{ capture, bind, app, egressPort }: BootstrapFlags,
	{ kind }: ProxyIdentity,
): Result<Capture, string> {
	if (kind === 'virtualGateway' && app !== undefined)
		return fail('a virtual gateway has no application: leave out --app')
	if (capture === 'intercept') {
		if (bind !== undefined || app !== undefined || egressPort !== undefined)
			return fail("with --capture intercept Envoy's ports are App Mesh's: leave out --bind, --app and --egress-port")
		return succeed({ mode: 'intercept' })
	}
	return succeed({
		mode: 'explicit',
		bind: bind ?? bootstrapDefaults.bind,
		egressPort: egressPort ?? bootstrapDefaults.egressPort,
		app: app ?? bootstrapDefaults.app,
	})
}

function tlsOf(
	{ xdsCa, xdsCert, xdsKey, xdsServerName, xdsSecrets, xdsToken }: BootstrapFlags,
	controlPlane: BootstrapOptions['controlPlane'],
): Result<ControlPlaneTls | null, string> {
	if ((xdsCert === undefined) !== (xdsKey === undefined)) return fail('say both --xds-cert and --xds-key, or neither')
	if (xdsCa === undefined) {
		const others = [xdsCert, xdsServerName, xdsToken === undefined ? xdsSecrets : undefined].some(
			(flag) => flag !== undefined,
		)
		return others
			? fail('without --xds-ca the daemon is not spoken to over TLS: say it, or none of --xds-…')
			: succeed(null)
	}
	return succeed({
		authorities: xdsCa,
		own: xdsCert === undefined || xdsKey === undefined ? null : { chain: xdsCert, privateKey: xdsKey },
		serverNames: xdsServerName === undefined ? controlPlane.map(({ address }) => address) : [xdsServerName],
		folder: xdsSecrets ?? dirname(xdsCa),
	})
}

/** It goes over TLS, or does not leave the machine. */
function tokenOf(
	{ xdsToken, xdsCa, xdsSecrets }: BootstrapFlags,
	controlPlane: BootstrapOptions['controlPlane'],
): Result<ControlPlaneToken | null, string> {
	if (xdsToken === undefined) return succeed(null)
	if (xdsCa === undefined && !controlPlane.every(({ address }) => isLoopback(address)))
		return fail('without --xds-ca whoever reads along would have the token: say it too')
	return succeed({ file: xdsToken, folder: xdsSecrets ?? dirname(xdsCa ?? xdsToken) })
}

function statsOf(flags: BootstrapFlags, meshStats: StatsSettings | null): Result<StatsSettings, string> {
	const { statsd, dogstatsd, statsdPrefix: prefix = null, prometheus, bind = bootstrapDefaults.bind } = flags
	if (statsd !== undefined && dogstatsd !== undefined) return fail('say --statsd or --dogstatsd, not both')
	const collector = statsd ?? dogstatsd
	if (collector === undefined && prefix !== null) return fail('--statsd-prefix needs --statsd or --dogstatsd')
	const format = statsd === undefined ? 'dogstatsd' : 'statsd'
	return succeed({
		statsd: collector === undefined ? (meshStats?.statsd ?? null) : { ...collector, prefix, format },
		prometheus:
			prometheus === undefined
				? (meshStats?.prometheus ?? null)
				: { address: prometheus.address ?? bind, port: prometheus.port },
	})
}
