import { fail, type Result, succeed } from '#base/result.ts'
import {
	HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
	type HttpConnectionManager,
} from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import { joinsRepeatedHeaders } from './envoy-version.ts'
import type { Header } from './explained.ts'
import { lowerAscii } from './match/string-match.ts'
import { mergeSlashes, normalizePath } from './plain-path.ts'

// A request on its way through one connection manager: what it is when it comes in, and what routes see of it.

export type IncomingRequest = {
	readonly method: string
	readonly scheme: 'http' | 'https'
	readonly authority: string
	readonly path: string
	readonly headers: readonly Header[]
}

/** As routes see it: by name in lower case, the pseudo headers included. */
export type SeenRequest = {
	readonly method: string
	readonly authority: string
	/** With its query. */
	readonly path: string
	readonly values: (name: string) => readonly string[]
	/** One for each time that a header was sent; the values may have been joined where routes match them. */
	readonly sent: (name: string) => readonly string[]
}

export type Refusal = { readonly status: number; readonly reason: string }

/**
 * What routes see, or why the connection manager refuses it before. Headers of the connection and of Envoy's own are
 * taken out; what the proxy always adds is there.
 */
export function seenRequest(
	request: IncomingRequest,
	manager: HttpConnectionManager,
	envoyMinor: string,
): Result<SeenRequest, Refusal> {
	const refusedUpgrade = findRefusedUpgrade(request, manager)
	if (refusedUpgrade !== null)
		return fail({ status: 403, reason: `the upgrade to ${refusedUpgrade} is not allowed here` })
	if (!request.path.startsWith('/')) return fail({ status: 400, reason: 'its path does not begin with a slash' })
	const normalized = manager.normalizePath === true ? normalizePath(request.path, envoyMinor) : succeed(request.path)
	if (!normalized.ok) return fail({ status: 400, reason: normalized.error })
	const path = manager.mergeSlashes ? mergeSlashes(normalized.value) : normalized.value
	const { method, authority } = request
	const all = valuesOf(request, path)
	const sent = (name: string) => all.get(name) ?? []
	const values = (name: string) => asMatched(sent(name), envoyMinor)
	return succeed({ method, authority, path, values, sent })
}

function asMatched(values: readonly string[], envoyMinor: string): readonly string[] {
	return values.length > 1 && joinsRepeatedHeaders(envoyMinor) ? [values.join(',')] : values
}

function valuesOf(request: IncomingRequest, path: string): ReadonlyMap<string, readonly string[]> {
	const values = new Map<string, string[]>([
		[':method', [request.method]],
		[':scheme', [schemeOf(request)]],
		[':authority', [request.authority]],
		// HTTP/1's name of the same.
		['host', [request.authority]],
		[':path', [path]],
	])
	const isUpgrade = upgradeOf(request) !== null
	for (const { name, value } of request.headers) {
		if (isTakenOut(name, value) || (isOfUpgrade(name) && !isUpgrade)) continue
		values.set(name, [...(values.get(name) ?? []), value])
	}
	if (!values.has('x-forwarded-proto')) values.set('x-forwarded-proto', [request.scheme])
	if (!values.has('x-request-id')) values.set('x-request-id', [anyRequestId])
	return values
}

/** HTTP/1 does not send one: what stands before the proxy says it by a header, or else it is the connection's. */
function schemeOf({ scheme, headers }: IncomingRequest): string {
	const said = headers.find(({ name }) => name === 'x-forwarded-proto')?.value.toLowerCase()
	return said === 'http' || said === 'https' ? said : scheme
}

/** Each request gets one; this stands for all of them. */
const anyRequestId = '00000000-0000-4000-8000-000000000000'

const ofConnection = ['keep-alive', 'proxy-connection', 'transfer-encoding', 'x-forwarded-client-cert']

/** Orders to Envoy, which it takes from nobody but itself. */
const ofEnvoy = [
	'retriable-status-codes',
	'retriable-header-names',
	'retry-on',
	'retry-grpc-on',
	'max-retries',
	'upstream-alt-stat-name',
	'upstream-rq-timeout-ms',
	'upstream-rq-per-try-timeout-ms',
	'upstream-rq-timeout-alt-response',
	'expected-rq-timeout-ms',
	'force-trace',
	'ip-tags',
	'original-url',
	'hedge-on-per-try-timeout',
	'internal',
].map((name) => `x-envoy-${name}`)

const takenOut: ReadonlySet<string> = new Set([...ofConnection, ...ofEnvoy])

function isTakenOut(name: string, value: string): boolean {
	return takenOut.has(name) || (name === 'te' && lowerAscii(value) !== 'trailers')
}

function isOfUpgrade(name: string): boolean {
	return name === 'connection' || name === 'upgrade'
}

function findRefusedUpgrade(request: IncomingRequest, { upgradeConfigs }: HttpConnectionManager): string | null {
	const upgrade = upgradeOf(request)
	if (upgrade === null) return null
	const config = upgradeConfigs.find(({ upgradeType }) => lowerAscii(upgradeType) === lowerAscii(upgrade))
	return config !== undefined && config.enabled !== false ? null : upgrade
}

/** What HTTP/1 asks the connection to become. Envoy takes no notice of h2c. */
function upgradeOf({ headers }: IncomingRequest): string | null {
	const asks = headers.some(
		({ name, value }) =>
			name === 'connection' && value.split(',').some((option) => lowerAscii(option.trim()) === 'upgrade'),
	)
	const upgrade = headers.find(({ name }) => name === 'upgrade')?.value
	return asks && upgrade !== undefined && lowerAscii(upgrade) !== 'h2c' ? upgrade : null
}

/** What of a connection manager is not taken into account here, in sentences. */
export function unknownOf(manager: HttpConnectionManager): string[] {
	const notes = manager.httpFilters
		.filter(({ name }) => !knownFilters.includes(name))
		.map(({ name }) => `the filter ${name} may change or answer the request: explain does not know it`)
	const { pathWithEscapedSlashesAction: action, stripPortMode } = manager
	if (action > EscapedSlashes.KEEP_UNCHANGED) notes.push('what is done about escaped slashes is not taken into account')
	if (stripPortMode.case !== undefined) notes.push('that the port is stripped from the host is not taken into account')
	return notes
}

const knownFilters = ['envoy.filters.http.router', 'envoy.filters.http.grpc_stats']
