import type { MessageInitShape } from '@bufbuild/protobuf'
import type { QueryParameterMatch } from '#mesh/route-spec.ts'
import type { QueryParameterMatcherSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'

/** Of a parameter that comes several times, Envoy looks at the first. */
export function queryParameterMatcher({
	name,
	exact,
}: QueryParameterMatch): MessageInitShape<typeof QueryParameterMatcherSchema> {
	if (exact === null) return { name, queryParameterMatchSpecifier: { case: 'presentMatch', value: true } }
	const value = { matchPattern: { case: 'exact', value: exact } } as const
	return { name, queryParameterMatchSpecifier: { case: 'stringMatch', value } }
}
