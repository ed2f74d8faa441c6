import type { MessageInitShape } from '@bufbuild/protobuf'
import {
	SubjectAltNameMatcher_SanType as SanType,
	type SubjectAltNameMatcherSchema,
} from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts'

/** Each name is wanted as the kind that its form says, since App Mesh's model does not say; any one of them suffices. */
export function subjectAlternativeNames(
	names: readonly string[],
): MessageInitShape<typeof SubjectAltNameMatcherSchema>[] {
	return names.map((name) => {
		const { sanType, text } = typed(name)
		return { sanType, matcher: { matchPattern: { case: 'exact', value: text } } }
	})
}

/** `spiffe://…` and other URIs, IP addresses, and else host names. Those match a certificate's `*.apps.local` too. */
function typed(name: string): { sanType: SanType; text: string } {
	if (name.includes('://')) return { sanType: SanType.URI, text: name }
	if (isIpAddress(name)) return { sanType: SanType.IP_ADDRESS, text: plainIpAddress(name) }
	return { sanType: SanType.DNS, text: name }
}

/** By form alone: a colon is in no host name, and a name of four numbers is an address. */
export function isIpAddress(text: string): boolean {
	return /^\d+\.\d+\.\d+\.\d+$/.test(text) || (/^[\da-fA-F:.]+$/.test(text) && text.includes(':'))
}

/** IPv6 has many spellings, and Envoy compares the shortest one. */
function plainIpAddress(address: string): string {
	const url = `http://[${address}]`
	return address.includes(':') && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address
}
