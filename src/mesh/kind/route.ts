// A route alone cannot be read: its protocol is its router's, and a target's port may be the node's only one. So routes
// are read last, with the nodes and routers of the revision at hand. What is not there is reported by link.ts.
import { checkRegex } from '../check-regex.ts'
import { appMeshDurationToMs } from '../duration.ts'
import { errorAt, type Finding, type Path, warningAt } from '../finding.ts'
import type { RouteHeaderMatch, RouteManifest, RouteMatch, RouteRetryPolicy } from '../manifest.generated.ts'
import { type Resource, type ResourceId, resourceId, type VirtualRouterSpec } from '../mesh.ts'
import type {
	HeaderMatch,
	HttpMatch,
	PathMatch,
	Protocol,
	RetryPolicy,
	RouteSpec,
	WeightedTarget,
} from '../route-spec.ts'
import { readHttpTimeout } from './virtual-node.ts'

/** The nodes and routers that are declared, by id. */
export type Declared = ReadonlyMap<ResourceId, Resource>

/** App Mesh's rank of a route without a priority: behind all that have one (0 to 1000). */
const noPriority = 1001

/** `httpRoute` or `http2Route`, whichever is written, and what is in it. */
export function httpRouteOf({ spec }: RouteManifest): { name: 'httpRoute' | 'http2Route'; body: HttpRouteBody } {
	if (spec.http2Route !== undefined) return { name: 'http2Route', body: spec.http2Route }
	return { name: 'httpRoute', body: spec.httpRoute as HttpRouteBody }
}
type HttpRouteBody = NonNullable<RouteManifest['spec']['httpRoute']>

/** A target's port is 0 where its node is not declared or has no listener: link.ts refuses both. */
export function readRouteSpec(manifest: RouteManifest, declared: Declared): RouteSpec {
	const { mesh, virtualRouter } = manifest.metadata
	const { name, body } = httpRouteOf(manifest)
	const router = resourceId.virtualRouter(mesh, virtualRouter)
	const written = name === 'httpRoute' ? 'http' : 'http2'
	const targets = body.action.weightedTargets.map(({ virtualNode, weight, port }): WeightedTarget => {
		const id = resourceId.virtualNode(mesh, virtualNode)
		return { virtualNode: id, port: port ?? portsOf(declared, id)[0] ?? 0, weight }
	})
	return {
		virtualRouter: router,
		priority: manifest.spec.priority ?? noPriority,
		protocol: protocolOf(routerSpec(declared, router), body.match.port) ?? written,
		match: readMatch(body.match),
		targets,
		retryPolicy: body.retryPolicy === undefined ? null : readRetryPolicy(body.retryPolicy),
		timeout: readHttpTimeout(body.timeout),
	}
}

function portsOf(declared: Declared, id: ResourceId): readonly number[] {
	const node = declared.get(id)
	return node?.kind === 'VirtualNode' ? node.spec.listeners.map((listener) => listener.port) : []
}

function routerSpec(declared: Declared, id: ResourceId): VirtualRouterSpec {
	const router = declared.get(id)
	return router?.kind === 'VirtualRouter' ? router.spec : { listeners: [] }
}

/** What the router speaks on the matched port, or on all of them; null when it does not say, or speaks both. */
function protocolOf(router: VirtualRouterSpec, port: number | undefined): Protocol | null {
	const listeners = router.listeners.filter((listener) => port === undefined || listener.port === port)
	const protocols = new Set(listeners.map((listener) => listener.protocol))
	const [only = null] = protocols
	return protocols.size === 1 ? only : null
}

function readMatch({ prefix, path, method, scheme, headers, port }: RouteMatch): HttpMatch {
	return {
		kind: 'http',
		queryParameters: [],
		path: readPath(prefix, path),
		method: method ?? null,
		scheme: scheme ?? null,
		headers: (headers ?? []).map(readHeader),
		port: port ?? null,
	}
}

/** A match without a path takes every path. */
function readPath(prefix: string | undefined, path: RouteMatch['path']): PathMatch {
	if (path?.exact !== undefined) return { kind: 'exact', path: path.exact }
	if (path?.regex !== undefined) return { kind: 'regex', regex: path.regex }
	return { kind: 'prefix', prefix: prefix ?? '/' }
}

/** Header names come out in lower case: HTTP knows no other difference. */
function readHeader({ name, invert = false, match }: RouteHeaderMatch): HeaderMatch {
	const common = { name: name.toLowerCase(), invert }
	if (match?.range !== undefined) return { ...common, match: { kind: 'range', ...match.range } }
	for (const kind of ['exact', 'prefix', 'suffix', 'regex'] as const) {
		const value = match?.[kind]
		if (value !== undefined) return { ...common, match: { kind, value } }
	}
	return { ...common, match: { kind: 'present' } }
}

function readRetryPolicy(policy: RouteRetryPolicy): RetryPolicy {
	return {
		maxRetries: policy.maxRetries,
		perRetryTimeoutMs: appMeshDurationToMs(policy.perRetryTimeout),
		httpRetryEvents: [...new Set(policy.httpRetryEvents ?? [])].sort(),
		tcpRetryEvents: [...new Set(policy.tcpRetryEvents ?? [])],
		grpcRetryEvents: [],
	}
}

export function checkRoute(manifest: RouteManifest, declared: Declared): readonly Finding[] {
	const { name, body } = httpRouteOf(manifest)
	const path: Path = ['spec', name]
	return [
		...checkProtocol(manifest, declared),
		...checkMatch([...path, 'match'], body.match),
		...checkTargets([...path, 'action', 'weightedTargets'], manifest, declared),
	]
}

function checkProtocol(manifest: RouteManifest, declared: Declared): readonly Finding[] {
	const { name, body } = httpRouteOf(manifest)
	const { mesh, virtualRouter } = manifest.metadata
	const spec = routerSpec(declared, resourceId.virtualRouter(mesh, virtualRouter))
	const findings: Finding[] = []
	const protocol = protocolOf(spec, body.match.port)
	const wanted = protocol === 'http2' ? 'http2Route' : 'httpRoute'
	if (protocol !== null && wanted !== name) {
		const message = `the router ${virtualRouter} speaks ${protocol}, so this ${name} is read as an ${wanted}`
		findings.push({ ...warningAt(['spec', name], 'SL0307', message, `write ${wanted}`), at: 'key' })
	}
	const ports = spec.listeners.map((listener) => listener.port)
	if (body.match.port !== undefined && ports.length > 0 && !ports.includes(body.match.port)) {
		const message = `the router ${virtualRouter} does not listen on port ${body.match.port}: the route takes no request`
		findings.push(warningAt(['spec', name, 'match', 'port'], 'SL0308', message, `it listens on ${ports.join(', ')}`))
	}
	return findings
}

function checkMatch(path: Path, { prefix, path: pathMatch, headers = [] }: RouteMatch): readonly Finding[] {
	const findings: Finding[] = []
	if (prefix !== undefined && pathMatch !== undefined) {
		findings.push(errorAt(path, 'SL0209', `${path.join('.')} has both prefix and path; expected one of them`))
	}
	if (pathMatch?.regex !== undefined) findings.push(...checkRegex([...path, 'path', 'regex'], pathMatch.regex))
	for (const [index, { match }] of headers.entries()) {
		const at = [...path, 'headers', index, 'match']
		if (match?.regex !== undefined) findings.push(...checkRegex([...at, 'regex'], match.regex))
		if (match?.range === undefined || match.range.start < match.range.end) continue
		const message = `the range from ${match.range.start} to ${match.range.end} is empty: end is not in it`
		findings.push(errorAt([...at, 'range'], 'SL0217', message))
	}
	return findings
}

function checkTargets(path: Path, manifest: RouteManifest, declared: Declared): readonly Finding[] {
	const targets = httpRouteOf(manifest).body.action.weightedTargets
	const findings: Finding[] = []
	if (targets.every((target) => target.weight === 0)) {
		const hint = 'give at least one target a weight above 0'
		findings.push(errorAt(path, 'SL0211', 'all weights are 0: the route would answer nothing', hint))
	}
	for (const [index, { virtualNode, weight, port }] of targets.entries()) {
		if (weight > 100) {
			const hint = 'weights are relative: only their ratio counts'
			findings.push(
				warningAt(
					[...path, index, 'weight'],
					'SL0215',
					`the weight ${weight} is above 100, which App Mesh documents as the most`,
					hint,
				),
			)
		}
		const ports = portsOf(declared, resourceId.virtualNode(manifest.metadata.mesh, virtualNode))
		if (port === undefined && ports.length > 1) {
			const message = `the virtual node ${virtualNode} has several listeners: the target must say its port`
			const hint = `add port: ${ports.join(', or port: ')}`
			findings.push(errorAt([...path, index, 'virtualNode'], 'SL0304', message, hint))
		}
	}
	return findings
}
