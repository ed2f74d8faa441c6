import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** True for an address that only this machine can reach. Names other than `localhost` are not: they may lead anywhere. */
export function isLoopback(host: string): boolean {
	const bare = host.replace(/^\[(.*)\]$/, '$1')
	switch (isIP(bare)) {
		case 4:
			return loopback.check(bare, 'ipv4')
		case 6:
			return loopback.check(bare, 'ipv6')
		default:
			return bare.toLowerCase() === 'localhost'
	}
}
