import { create, toBinary } from '@bufbuild/protobuf'
import type { ProxyGroup } from '#compile/compiled.ts'
import { NodeSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'

// The virtual nodes whose proxies the load client plays. Replicas of one share what they are served.

export const identityNames = ['caller-0', 'caller-1', 'caller-2', 'caller-3', 'caller-4'] as const

export type Identity = (typeof identityNames)[number]

/** The proxy of an index: replicas of all identities in turn. */
export function identityOf(index: number): Identity {
	return identityNames[index % identityNames.length] ?? identityNames[0]
}

export function nodeId(identity: Identity): string {
	return `mesh/bench/virtualNode/${identity}`
}

export function groupOf(identity: Identity): ProxyGroup {
	return {
		identity: { mesh: 'bench', kind: 'virtualNode', name: identity },
		cohort: 'stable',
		capture: { mode: 'intercept' },
		secrets: 'daemon',
		envoyMinor: '1.40',
	}
}

/** The node message of one proxy. */
export function nodeOf(index: number): Uint8Array {
	const identity = identityOf(index)
	return nodeMessage({ id: nodeId(identity), instance: `host-${index}` })
}

/** Of any proxy whose traffic is intercepted. */
export function nodeMessage({ id, instance }: Readonly<Record<'id' | 'instance', string>>): Uint8Array {
	const node = create(NodeSchema, {
		id,
		cluster: id.slice(id.lastIndexOf('/') + 1),
		metadata: { sluice: { instance, capture: 'intercept' } },
		userAgentName: 'envoy',
		userAgentVersionType: {
			case: 'userAgentBuildVersion',
			value: { version: { majorNumber: 1, minorNumber: 40, patch: 0 } },
		},
	})
	return toBinary(NodeSchema, node)
}
