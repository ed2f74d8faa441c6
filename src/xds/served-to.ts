import { sha256Hex } from '#base/hash.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import type { Channel, Channels, Underway } from './channel.ts'
import { endpointsOfCluster } from './endpoints-of-cluster.ts'

// A cluster is sent when the endpoints and secrets that it names are known. By the time at which the proxy asks for them
// they may be known no more, with the cluster itself: yet it warms until they come, and until it is warm the proxy says
// nothing and takes no removal of it. So clusters on their way get what they were sent for.

/** What a type is served from: the snapshot, for endpoints and secrets with what clusters on their way still need. */
export function servedTo({ typeUrl }: Channel, channels: Channels, snapshot: Snapshot): Snapshot {
	const { underway } = channels[typeUrls.cluster]
	if (underway === null || underway.snapshot === snapshot) return snapshot
	if (typeUrl !== typeUrls.endpoint && typeUrl !== typeUrls.secret) return snapshot
	return withPromised(snapshot, underway)
}

const known = new WeakMap<Underway, { readonly of: Snapshot; readonly made: Snapshot }>()

/** The same object for the same arguments, so that what is worked out for it holds on. */
function withPromised(snapshot: Snapshot, underway: Underway): Snapshot {
	const before = known.get(underway)
	if (before?.of === snapshot) return before.made
	const { types } = snapshot
	const endpoints = promised(typeUrls.endpoint, snapshot, underway)
	const secrets = promised(typeUrls.secret, snapshot, underway)
	const isNone = endpoints.length + secrets.length === 0
	const made = isNone
		? snapshot
		: {
				...snapshot,
				types: {
					...types,
					[typeUrls.endpoint]: withMore(types[typeUrls.endpoint], endpoints),
					[typeUrls.secret]: withMore(types[typeUrls.secret], secrets),
				},
			}
	known.set(underway, { of: snapshot, made })
	return made
}

function promised(
	typeUrl: typeof typeUrls.endpoint | typeof typeUrls.secret,
	{ types }: Snapshot,
	underway: Underway,
): EncodedResource[] {
	const names = new Set(underway.upserts.flatMap((cluster) => namedBy(cluster, typeUrl)))
	const sentFrom = underway.snapshot.types[typeUrl].resources
	return [...names].filter((name) => !types[typeUrl].resources.has(name)).flatMap((name) => sentFrom.get(name) ?? [])
}

function namedBy(
	cluster: EncodedResource,
	typeUrl: typeof typeUrls.endpoint | typeof typeUrls.secret,
): readonly string[] {
	if (typeUrl === typeUrls.secret) return cluster.references.secrets
	const own = endpointsOfCluster(cluster)
	return own === null ? cluster.references.endpoints : [own]
}

function withMore(type: TypeSnapshot, more: readonly EncodedResource[]): TypeSnapshot {
	if (more.length === 0) return type
	const version = sha256Hex([type.version, ...more.map((each) => `${each.name} ${each.version}`)].join('\n'))
	return { version, resources: new Map([...type.resources, ...more.map((each) => [each.name, each] as const)]) }
}
