import type { PathMatch } from '#mesh/route-spec.ts'

/** gRPC's path of a call is `/package.Service/Method`; a service is all of its methods. */
export function grpcPath(serviceName: string | null, methodName: string | null): PathMatch {
	if (serviceName === null) return { kind: 'prefix', prefix: '/' }
	if (methodName === null) return { kind: 'prefix', prefix: `/${serviceName}/` }
	return { kind: 'exact', path: `/${serviceName}/${methodName}` }
}
