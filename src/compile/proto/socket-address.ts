import { create } from '@bufbuild/protobuf'
import { type Address, AddressSchema } from '#proto/gen/envoy/config/core/v3/address_pb.ts'

/** A TCP address: an IP, or a host name where the cluster's type resolves it. */
export function socketAddress(address: string, port: number): Address {
	const portSpecifier = { case: 'portValue', value: port } as const
	return create(AddressSchema, { address: { case: 'socketAddress', value: { address, portSpecifier } } })
}
