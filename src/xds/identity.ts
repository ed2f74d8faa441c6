import { isIP } from 'node:net'
import type { JsonObject, JsonValue } from '@bufbuild/protobuf'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type Capture, identityPath, type ProxyGroup, type ProxyIdentity, proxyGroupKey } from '#compile/compiled.ts'
import type { Node } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Proxy } from './fleet-view.ts'

// Who a proxy says it is (rules: serving 6 and 10): App Mesh's node id, and what `sluice bootstrap` wrote beside it.
// That it may say so is for admission.ts.

/** Versions that are not told, e.g. by a client that is no Envoy, count as older than any. */
const unknownMinor = '0.0'
const defaults = { bind: '0.0.0.0', egressPort: 15001, app: '127.0.0.1' }

/** A mesh of another account is written `mesh@account`. */
const idPattern =
	/^(?:arn:[a-z-]+:appmesh:[a-z0-9-]+:[0-9]{12}:)?mesh\/([\w.-]{1,255})(?:@[0-9]{12})?\/(virtualNode|virtualGateway)\/([\w.-]{1,255})$/
/** What App Mesh's image writes of itself into the metadata. */
const appMeshPrefix = 'aws.appmesh.'
const instancePattern = /^[\w.:/@-]{1,255}$/

/** Without an instance the proxy goes by its connection. A failure says what is wrong with the node. */
export function readProxy(node: Node, connectionId: number): Result<Proxy, string> {
	const identity = readIdentity(node.id)
	if (identity === null) {
		return fail('node.id must be mesh/<mesh>/virtualNode/<name> or mesh/<mesh>/virtualGateway/<name>, or such an ARN')
	}
	const sluice = asObject(node.metadata?.sluice ?? {})
	if (sluice === null) return fail('node.metadata.sluice must be an object')
	const instance = sluice.instance ?? null
	if (instance !== null && !(typeof instance === 'string' && instancePattern.test(instance))) {
		return fail('node.metadata.sluice.instance must be a name of at most 255 letters, digits, and . _ : / @ -')
	}
	const capture = readCapture(sluice, usualCapture(node))
	if (!capture.ok) return capture
	if (sluice.sds !== undefined && sluice.sds !== 'socket') return fail('node.metadata.sluice.sds can only be "socket"')
	const secrets = sluice.sds === 'socket' ? 'socket' : 'daemon'
	const group: ProxyGroup = {
		identity,
		cohort: 'stable',
		capture: capture.value,
		secrets,
		envoyMinor: readMinor(node),
	}
	return succeed({
		key: `${identityPath(identity)}#${instance ?? `connection-${connectionId}`}`,
		instance,
		zone: node.locality?.zone ?? '',
		group,
		groupKey: proxyGroupKey(group),
	})
}

function readIdentity(id: string): ProxyIdentity | null {
	const [, mesh, kind, name] = idPattern.exec(id) ?? []
	if (mesh === undefined || name === undefined) return null
	return { mesh, kind: kind === 'virtualGateway' ? 'virtualGateway' : 'virtualNode', name }
}

/** Where nothing is said: traffic of App Mesh's own image was always intercepted. */
function usualCapture(node: Node): Capture['mode'] {
	return Object.keys(node.metadata ?? {}).some((key) => key.startsWith(appMeshPrefix)) ? 'intercept' : 'explicit'
}

function readCapture(sluice: JsonObject, usual: Capture['mode']): Result<Capture, string> {
	const { capture = usual, bind = defaults.bind, egressPort = defaults.egressPort, app = defaults.app } = sluice
	if (capture === 'intercept') return succeed({ mode: 'intercept' })
	if (capture !== 'explicit') return fail('node.metadata.sluice.capture must be explicit or intercept')
	if (typeof bind !== 'string' || ipVersion(bind) === 0) return fail('node.metadata.sluice.bind must be an IP address')
	if (!isPort(egressPort)) return fail('node.metadata.sluice.egressPort must be a port, 1 to 65535')
	const application = typeof app === 'string' ? readApplication(app) : null
	if (application === null) return fail('node.metadata.sluice.app must be an IP address, with :port or without')
	return succeed({ mode: 'explicit', bind, egressPort, app: application })
}

/** `127.0.0.1`, `127.0.0.1:8080`, `::1`, `[::1]:8080`. */
function readApplication(text: string): { address: string; port: number | null } | null {
	if (ipVersion(text) !== 0) return { address: text, port: null }
	const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? []
	const address = bracketed ?? plain ?? ''
	const port = Number(digits)
	const isAddress = ipVersion(address) === (bracketed === undefined ? 4 : 6)
	return isAddress && isPort(port) ? { address, port } : null
}

/** 0: it is none, or has a zone that is longer than any. */
function ipVersion(text: string): number {
	return text.length > limits.xdsAddressChars ? 0 : isIP(text)
}

function isPort(value: JsonValue): value is number {
	return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535
}

function readMinor(node: Node): string {
	if (node.userAgentVersionType.case !== 'userAgentBuildVersion') return unknownMinor
	const { version } = node.userAgentVersionType.value
	return version === undefined ? unknownMinor : `${version.majorNumber}.${version.minorNumber}`
}

function asObject(value: JsonValue): JsonObject | null {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
}
