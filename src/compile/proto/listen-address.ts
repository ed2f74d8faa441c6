import { create } from '@bufbuild/protobuf'
import { type Address, AddressSchema } from '#proto/gen/envoy/config/core/v3/address_pb.ts'

/** `ipv4Compat`: an IPv6 address that takes IPv4 connections too. */
export type ListenAddress = { readonly ip: string; readonly ipv4Compat: boolean }

/** Where a listener binds. */
export function listenAddress({ ip, ipv4Compat }: ListenAddress, port: number): Address {
	const portSpecifier = { case: 'portValue', value: port } as const
	return create(AddressSchema, {
		address: { case: 'socketAddress', value: { address: ip, ipv4Compat, portSpecifier } },
	})
}
