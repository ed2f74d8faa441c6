import type { HostPort } from './bootstrap-options.ts'

export function socketAddress({ address, port }: HostPort): object {
	return { socket_address: { address, port_value: port } }
}
