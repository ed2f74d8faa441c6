import type { MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import type { HeaderMatch } from '#mesh/route-spec.ts'
import type { HeaderMatcherSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import type { StringMatcherSchema } from '#proto/gen/envoy/type/matcher/v3/string_pb.ts'

export type HeaderMatcherInit = MessageInitShape<typeof HeaderMatcherSchema>
type StringPattern = NonNullable<MessageInitShape<typeof StringMatcherSchema>['matchPattern']>

/** As in Envoy, `invert` of anything but presence still needs the header to be there. */
export function headerMatcher({ name, invert, match }: HeaderMatch): HeaderMatcherInit {
	return { name, invertMatch: invert, headerMatchSpecifier: specifierOf(match) }
}

/** A header, or one of HTTP/2's pseudo headers such as `:method`, that has exactly this value. */
export function exactHeader(name: string, value: string): HeaderMatcherInit {
	return headerMatcher({ name, invert: false, match: { kind: 'exact', value } })
}

function specifierOf(match: HeaderMatch['match']): NonNullable<HeaderMatcherInit['headerMatchSpecifier']> {
	switch (match.kind) {
		case 'present':
			return { case: 'presentMatch', value: true }
		case 'range':
			return { case: 'rangeMatch', value: { start: BigInt(match.start), end: BigInt(match.end) } }
		case 'exact':
		case 'prefix':
		case 'suffix':
			return stringMatch({ case: match.kind, value: match.value })
		case 'regex':
			return stringMatch({ case: 'safeRegex', value: { regex: match.value } })
		default:
			return unreachable(match)
	}
}

function stringMatch(matchPattern: StringPattern): NonNullable<HeaderMatcherInit['headerMatchSpecifier']> {
	return { case: 'stringMatch', value: { matchPattern } }
}
