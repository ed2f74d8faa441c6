import { errorAt, type Finding, type Path, warningAt } from '../finding.ts'
import type { VirtualNodeHealthCheck } from '../manifest.generated.ts'
import type { HealthCheck } from '../proxy-spec.ts'
import type { Protocol } from '../route-spec.ts'

export function readHealthCheck(check: VirtualNodeHealthCheck | undefined): HealthCheck | null {
	if (check === undefined) return null
	const { protocol, healthyThreshold, unhealthyThreshold, intervalMillis, timeoutMillis } = check
	return {
		protocol,
		path: asksForPath(protocol) ? withSlash(check.path ?? '/') : '/',
		healthyThreshold,
		unhealthyThreshold,
		intervalMs: intervalMillis,
		timeoutMs: timeoutMillis,
	}
}

function asksForPath(protocol: Protocol): boolean {
	return protocol === 'http' || protocol === 'http2'
}

function withSlash(path: string): string {
	return path.startsWith('/') ? path : `/${path}`
}

type CheckedListener = {
	readonly portMapping: { readonly port: number; readonly protocol: Protocol }
	readonly healthCheck?: VirtualNodeHealthCheck
}

/** `path`: of the listener. */
export function checkHealthCheck(path: Path, { portMapping, healthCheck }: CheckedListener): readonly Finding[] {
	if (healthCheck === undefined) return []
	const at = [...path, 'healthCheck']
	return [
		...checkPort(at, healthCheck, portMapping.port),
		...checkTimes(at, healthCheck),
		...checkPath(at, healthCheck),
		...checkProtocol(at, healthCheck, portMapping.protocol),
	]
}

function checkPort(path: Path, { port }: VirtualNodeHealthCheck, listened: number): readonly Finding[] {
	if (port === undefined || port === listened) return []
	const message = `the health check is for port ${port}, and the listener has port ${listened}: App Mesh takes only the same`
	return [errorAt([...path, 'port'], 'SL0221', message, `write ${listened}, or leave the port out`)]
}

function checkTimes(path: Path, { timeoutMillis, intervalMillis }: VirtualNodeHealthCheck): readonly Finding[] {
	if (timeoutMillis < intervalMillis) return []
	const message = `a check may take ${timeoutMillis} ms, and the next one is due ${intervalMillis} ms after the last has ended`
	return [warningAt([...path, 'timeoutMillis'], 'SL0225', message, 'make the timeout shorter than the interval')]
}

function checkPath(path: Path, { protocol, path: written }: VirtualNodeHealthCheck): readonly Finding[] {
	if (written === undefined) return []
	const at = [...path, 'path']
	if (!asksForPath(protocol)) {
		return [
			warningAt(at, 'SL0226', `a health check of ${protocol} asks for no path: this one is not used`, 'take it out'),
		]
	}
	if (written.startsWith('/')) return []
	return [warningAt(at, 'SL0227', `the path does not begin with a slash; it is read as "/${written}"`)]
}

/** Envoy takes a gRPC check only where the traffic is HTTP/2 too. */
function checkProtocol(path: Path, { protocol }: VirtualNodeHealthCheck, spoken: Protocol): readonly Finding[] {
	if (protocol !== 'grpc' || spoken !== 'http') return []
	const message = 'a port that speaks http answers no gRPC: it is only checked whether it takes connections'
	return [warningAt([...path, 'protocol'], 'SL0229', message, 'write http, or tcp')]
}
