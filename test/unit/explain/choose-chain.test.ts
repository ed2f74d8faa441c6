import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { chooseChain } from '#explain/choose-chain.ts'
import type { FilterChainMatchSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'

type Match = MessageInitShape<typeof FilterChainMatchSchema>

const choose = (chains: Record<string, Match>, connection: { port: number; tlsName?: string }, more?: string) => {
	const filterChains = Object.entries(chains).map(([name, filterChainMatch]) => ({ name, filterChainMatch }))
	const defaultFilterChain = more === undefined ? {} : { defaultFilterChain: { name: more } }
	const listener = create(ListenerSchema, { filterChains, ...defaultFilterChain })
	return chooseChain(listener, { port: connection.port, tlsName: connection.tlsName ?? null })?.name ?? null
}

const chains = {
	web: { destinationPort: 80 },
	aws: { destinationPort: 443, serverNames: ['*.amazonaws.com'] },
	exact: { destinationPort: 443, serverNames: ['s3.amazonaws.com'] },
	secured: { destinationPort: 8443, transportProtocol: 'tls' },
	plain: { destinationPort: 8443, transportProtocol: 'raw_buffer' },
} satisfies Record<string, Match>

test.for([
	[{ port: 80 }, 'web'],
	[{ port: 80, tlsName: 'x' }, 'web'],
	[{ port: 81 }, null],
	[{ port: 443, tlsName: 'sqs.eu.amazonaws.com' }, 'aws'],
	[{ port: 443, tlsName: 'S3.amazonaws.com' }, 'exact'],
	[{ port: 443, tlsName: 'amazonaws.com' }, null],
	[{ port: 443, tlsName: 'example.com' }, null],
	[{ port: 443 }, null],
	[{ port: 8443, tlsName: 'x' }, 'secured'],
	[{ port: 8443 }, 'plain'],
] as const)('%j → %s', ([connection, name]) => {
	expect(choose(chains, connection)).toBe(name)
})

test('what no chain is for goes to the default one', () => {
	expect(choose(chains, { port: 81 }, 'rest')).toBe('rest')
	expect(choose(chains, { port: 443, tlsName: 'example.com' }, 'rest')).toBe('rest')
})

test('a chain without a port is for those that no chain names', () => {
	expect(choose({ ...chains, any: {} }, { port: 81 })).toBe('any')
	expect(choose({ ...chains, any: {} }, { port: 443, tlsName: 'example.com' })).toBe(null)
})
