import { unreachable } from '#base/assert.ts'
import { noPriority, routeNames } from './kind/route.ts'
import { lastName } from './link-finding.ts'
import type { HeaderMatch, PathMatch, QueryParameterMatch, RetryPolicy, RouteMatch, RouteSpec } from './route-spec.ts'
import { type Written, writeDuration, writeList, writeMembers, writeUnlessEmpty } from './write-members.ts'

/** The `spec` of a route, under the type that its protocol asks for. */
export function writeRouteSpec({ priority, protocol, match, targets, retryPolicy, timeout }: RouteSpec): Written {
	return writeMembers({
		priority: priority === noPriority ? null : priority,
		[routeNames[protocol]]: writeMembers({
			match: writeMatch(match),
			action: { weightedTargets: targets.map(writeTarget) },
			retryPolicy: retryPolicy === null ? null : writeRetryPolicy(retryPolicy),
			timeout: writeUnlessEmpty({
				perRequest: writeDuration(timeout.perRequestMs),
				idle: writeDuration(timeout.idleMs),
			}),
		}),
	})
}

function writeTarget({ virtualNode, weight, port }: RouteSpec['targets'][number]): Written {
	return { virtualNode: lastName(virtualNode), weight, port }
}

function writeMatch(match: RouteMatch): Written {
	switch (match.kind) {
		case 'http': {
			const { path, method, scheme, headers, queryParameters, port } = match
			return writeMembers({
				...writePath(path),
				method,
				scheme,
				headers: writeHeaders(headers),
				queryParameters: writeQueryParameters(queryParameters),
				port,
			})
		}
		case 'grpc': {
			const { serviceName, methodName, metadata, port } = match
			return writeMembers({ serviceName, methodName, metadata: writeHeaders(metadata), port })
		}
		case 'tcp':
			return writeMembers({ port: match.port })
		default:
			return unreachable(match)
	}
}

/** Part of a match: its prefix or its path. */
export function writePath(path: PathMatch): Written {
	switch (path.kind) {
		case 'prefix':
			return { prefix: path.prefix }
		case 'exact':
			return { path: { exact: path.path } }
		case 'regex':
			return { path: { regex: path.regex } }
		default:
			return unreachable(path)
	}
}

export function writeHeaders(headers: readonly HeaderMatch[]): readonly unknown[] | null {
	return writeList(
		headers.map(({ name, invert, match }) =>
			writeMembers({ name, invert: invert ? true : null, match: writeHeaderValue(match) }),
		),
	)
}

function writeHeaderValue(match: HeaderMatch['match']): Written | null {
	switch (match.kind) {
		case 'present':
			return null
		case 'range':
			return { range: { start: match.start, end: match.end } }
		default:
			return { [match.kind]: match.value }
	}
}

export function writeQueryParameters(parameters: readonly QueryParameterMatch[]): readonly unknown[] | null {
	return writeList(
		parameters.map(({ name, exact }) => writeMembers({ name, match: exact === null ? null : { exact } })),
	)
}

function writeRetryPolicy(policy: RetryPolicy): Written {
	return writeMembers({
		maxRetries: policy.maxRetries,
		perRetryTimeout: writeDuration(policy.perRetryTimeoutMs),
		grpcRetryEvents: writeList(policy.grpcRetryEvents),
		httpRetryEvents: writeList(policy.httpRetryEvents),
		tcpRetryEvents: writeList(policy.tcpRetryEvents),
	})
}
