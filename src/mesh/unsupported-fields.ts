// What App Mesh has and Sluice does not support yet. It is refused with a code of its own, so that nobody looks for a
// misspelling in a field that is spelt well. One table: a line goes when its field comes.
import type { Kind } from './mesh.ts'

/** Kinds of App Mesh without a schema here. */
export const unsupportedKinds: readonly string[] = ['VirtualGateway', 'GatewayRoute']

/** Values of `protocol` that App Mesh accepts beside http and http2. */
export const unsupportedProtocols: readonly unknown[] = ['grpc', 'tcp']

const unsupportedFields: Readonly<Record<Kind, ReadonlySet<string>>> = {
	Mesh: new Set(),
	VirtualNode: new Set([
		'/spec/backendDefaults',
		'/spec/backends/*/virtualService/clientPolicy',
		'/spec/listeners/*/connectionPool',
		'/spec/listeners/*/healthCheck',
		'/spec/listeners/*/outlierDetection',
		'/spec/listeners/*/timeout/grpc',
		'/spec/listeners/*/timeout/tcp',
		'/spec/listeners/*/tls',
		'/spec/logging',
		'/spec/serviceDiscovery/awsCloudMap',
	]),
	VirtualService: new Set(),
	VirtualRouter: new Set(),
	Route: new Set([
		'/spec/grpcRoute',
		'/spec/http2Route/match/queryParameters',
		'/spec/httpRoute/match/queryParameters',
		'/spec/tcpRoute',
	]),
	VirtualGateway: new Set(),
	GatewayRoute: new Set(),
	RolloutPolicy: new Set(),
}

/** Whether App Mesh knows a field that the kind's schema does not. `pointer` is the field's own JSON pointer. */
export function isUnsupportedField(kind: Kind, pointer: string): boolean {
	return unsupportedFields[kind].has(pointer.replace(/\/[0-9]+(?=\/)/g, '/*'))
}
