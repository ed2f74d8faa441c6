import type { Clock } from '#base/clock.ts'
import { addressOf, type CallHandler, type GrpcService, type ServiceCall, silentStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { createRepeatedLog } from '#base/repeated-log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type EngineName, usualEngine } from '#base/xds-engine-name.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Node } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { type Admission, createAdmission } from './admission.ts'
import type { Cohort } from './cohort.ts'
import { createFleet, type Joined } from './fleet.ts'
import type { Acked, FleetView, GroupView, Proxy, ProxyStanding, Reported, XdsEvent } from './fleet-view.ts'
import { createFootingPool } from './footing.ts'
import type { ServerCertificate } from './server-certificate.ts'
import { type DiscoveryMethod, discoveryMethods } from './services.ts'
import { createXdsStream } from './stream.ts'
import type { StreamPort } from './stream-port.ts'
import { createSubscriptionPool } from './subscription.ts'
import { createTransport, type ListenError } from './transport.ts'

export type XdsServer = {
	/** All that is served on the port: for who has no use for a port, and brings calls of his own. */
	readonly services: readonly GrpcService[]
	/** `host:port`; port 0 takes a free one. */
	listen(address: string): Promise<Result<{ readonly port: number }, ListenError>>
	/** From its return on the group is served this; its streams are being pushed to. */
	publish(groupKey: string, snapshot: Snapshot): void
	/** The identity is not in the mesh: streams of the group end with NOT_FOUND, later ones too, until a publish. */
	refuse(groupKey: string, message: string): void
	/** Nothing is served or refused to this group any more. False: not yet, for somebody is in it, or was lately. */
	forget(groupKey: string): boolean
	/** Null while no proxy of the group has been seen. Costs next to nothing per proxy. */
	view(groupKey: string): GroupView | null
	fleet(): FleetView
	/** The connected proxies of a group, for people. */
	proxies(groupKey: string): Iterable<ProxyStanding>
	/** Version of the resource that this proxy has ACKed, or null while it holds none or that is in doubt. */
	holds(proxyKey: string, typeUrl: TypeUrl, name: string): string | null
	/** All that this proxy has ACKed; null when it is not connected. */
	acked(proxyKey: string): Acked | null
	/** What a proxy said that it holds, while its group is not served. */
	reported(proxyKey: string): readonly Reported[]
	/** These proxies keep what they hold of the resource, whatever is published; an empty set ends that. */
	pin(groupKey: string, typeUrl: TypeUrl, name: string, proxyKeys: ReadonlySet<string>): void
	/** Proxies that hold this version of the resource keep it, whatever is published; null ends that. */
	keep(groupKey: string, typeUrl: TypeUrl, name: string, versions: ReadonlySet<string>): void
	/** Connected, and has ACKed all that its group is served. */
	isCurrent(proxyKey: string): boolean
	/** From now on these are served like others, and counted in no view. */
	exclude(proxyKeys: ReadonlySet<string>): void
	/** From now on each proxy is in the cohort that this says, those among them that are connected. */
	assign(cohortOf: (proxy: Proxy) => Cohort): void
	/** Connections that begin from now on are shown this certificate. Only where there was one from the start. */
	secure(certificate: ServerCertificate): void
	/** Ends the streams, so that proxies go elsewhere, and cuts what is left after `drainMs`. */
	close(drainMs: number): Promise<void>
}

export type XdsServerOptions = {
	readonly clock: Clock
	readonly log: Log
	/** Must not throw. Never called from within `publish` or `refuse`, but for `left`; `assign` tells of whom it moves. */
	readonly emit: (event: XdsEvent) => void
	/** Served on the same port. */
	readonly services?: readonly GrpcService[]
	/** What TLS is spoken with; without one the port is plain. */
	readonly certificate?: ServerCertificate | null
	/** Give the one that the services identify their peers with; they share its connections. */
	readonly admission?: Admission
	/** What speaks HTTP/2 and gRPC. */
	readonly engine?: EngineName
}

/** The xDS server: what is published goes to the proxies of each group, in an order that never breaks traffic. */
export function createXdsServer(options: XdsServerOptions): XdsServer {
	const { clock, log, emit, services = [], certificate = null, admission = createAdmission() } = options
	const { engine = usualEngine } = options
	const subscriptions = createSubscriptionPool()
	const footings = createFootingPool()
	const fleet = createFleet({ clock, emit })
	const repeated = createRepeatedLog({ clock, log })
	const all: readonly GrpcService[] = [
		...discoveryMethods.map((method) => ({ path: method.path, open: (call: ServiceCall) => open(method, call) })),
		...services,
	]
	const transport = createTransport({
		engine,
		services: all,
		certificate,
		clock,
		log,
		onDisconnect: (connection) => admission.release(connection),
	})

	function open({ variant, serves }: DiscoveryMethod, call: ServiceCall): CallHandler {
		let joined: Joined | null = null
		const port: StreamPort = {
			send: (message, flushed) => call.send(message, flushed),
			end(status) {
				silence.cancel()
				const { code, message } = status
				tell('info', 'xds.stream.ended', { code, message })
				leave('lost')
				call.end(status)
			},
			admit(node) {
				const identified = identify(node)
				if (!identified.ok) return identified
				if (joined !== null) return succeed(joined)
				const joining = fleet.join(identified.value, stream)
				silence.cancel()
				if (joining.ok) joined = joining.value
				return joining
			},
			changed() {
				if (joined !== null) fleet.changed(joined.seat)
			},
			ignored: (typeUrl) => tell('warn', 'xds.type.ignored', { typeUrl }),
		}
		const stream = createXdsStream({ variant, serves, clock, port, subscriptions, footings })
		const silence = clock.setTimer(limits.xdsSilentMs, () => stream.end(silentStatus))

		function identify(node: Node): Result<Proxy, Parameters<ServiceCall['end']>[0]> {
			const identified = admission.identify(call, node)
			if (!identified.ok || joined === null || joined.key === identified.value.key) return identified
			return fail({ code: 'PERMISSION_DENIED', message: 'the node of a stream must not change' })
		}

		function tell(level: 'info' | 'warn', event: string, about: Readonly<Record<string, string>>): void {
			const who = joined?.key ?? null
			const fields = { peer: call.connection.peer, proxy: who, ...about }
			repeated.tell({ level, event, fields }, [addressOf(call.connection), who, ...Object.values(about)])
		}

		function leave(how: 'drained' | 'lost'): void {
			if (joined !== null) fleet.leave(joined.seat, how)
		}

		return {
			receive: (message) => stream.receive(message),
			closed(how) {
				silence.cancel()
				stream.close()
				leave(how === 'halfClosed' ? 'drained' : 'lost')
			},
		}
	}

	return {
		services: all,
		listen: (address) => transport.listen(address),
		publish: (groupKey, snapshot) => fleet.publish(groupKey, snapshot),
		refuse: (groupKey, message) => fleet.refuse(groupKey, message),
		forget: (groupKey) => fleet.forget(groupKey),
		view: (groupKey) => fleet.view(groupKey),
		fleet: () => fleet.fleet(),
		proxies: (groupKey) => fleet.proxies(groupKey),
		holds: (proxyKey, typeUrl, name) => fleet.holds(proxyKey, typeUrl, name),
		acked: (proxyKey) => fleet.acked(proxyKey),
		reported: (proxyKey) => fleet.reported(proxyKey),
		pin: (groupKey, typeUrl, name, proxyKeys) => fleet.pin(groupKey, typeUrl, name, proxyKeys),
		keep: (groupKey, typeUrl, name, versions) => fleet.keep(groupKey, typeUrl, name, versions),
		isCurrent: (proxyKey) => fleet.isCurrent(proxyKey),
		exclude: (proxyKeys) => fleet.exclude(proxyKeys),
		assign: (cohortOf) => fleet.assign(cohortOf),
		secure: (next) => transport.secure(next),
		async close(drainMs) {
			fleet.close({ code: 'UNAVAILABLE', message: 'this control plane is going away' })
			await transport.close(drainMs)
		},
	}
}
