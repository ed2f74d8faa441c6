import { hashValue } from '#base/hash.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh, Resource, ResourceId, RolloutPolicySpec, WavesSpec } from '#mesh/mesh.ts'
import { resourceId } from '#mesh/mesh.ts'
import { policyForWaves } from '#mesh/rollout-policy.ts'
import { differingIds } from '#plan/differing-resources.ts'
import { hashApartFromShares, meshOfId, routeWithTargets } from './apply-at-once.ts'
import type { Quarantine } from './state.ts'

// Which changes go out by waves, and what Git asks of those that do.

/** Changes that go out together, one wave after the other. */
export type WavesToStart = {
	/** Whose policy says how. */
	readonly mesh: ResourceId
	readonly candidate: Mesh
	readonly changes: readonly ResourceId[]
	readonly policy: RolloutPolicySpec
	readonly waves: WavesSpec
	readonly quarantineKey: string
}

/** What changes from `resources` to `candidate`, as one rollout by waves; null when nothing does. */
export function wavesToStart(
	candidate: Readonly<Record<ResourceId, Resource>>,
	{ resources, desired }: { readonly resources: Readonly<Record<ResourceId, Resource>>; readonly desired: Mesh },
): WavesToStart | null {
	const changes = differingIds(resources, candidate)
	const [first] = changes
	if (first === undefined) return null
	const policy = policyForWaves(desired, meshOfId(first))
	if (policy?.waves == null) return null
	const quarantineKey = hashValue({ waves: partsBetween(resources, candidate) })
	return {
		mesh: resourceId.mesh(meshOfId(first)),
		candidate: composeMesh(candidate),
		changes,
		policy,
		waves: policy.waves,
		quarantineKey,
	}
}

/** What each change is, by a short name of its own. */
export function partsBetween(
	before: Readonly<Record<ResourceId, Resource>>,
	after: Readonly<Record<ResourceId, Resource>>,
): string[] {
	return differingIds(before, after).map((id) => partOf(id, after[id]))
}

function partOf(id: ResourceId, resource: Resource | undefined): string {
	return hashValue([id, hashApartFromShares(resource)]).slice(0, 16)
}

/** Changes that went out by waves before, and went back. */
export type FailedWaves = Pick<Quarantine, 'key'> & { readonly changes: readonly ResourceId[] }

/**
 * Which of the changes have gone back already: sets of them that went out together and are all there again. One of a set
 * that is another now may be what mends the others, which then go out with it.
 */
export function failedAmong(
	{ changes, candidate: { resources }, quarantineKey }: WavesToStart,
	quarantine: readonly Quarantine[],
): readonly FailedWaves[] {
	const idOf = new Map(changes.map((id) => [partOf(id, resources[id]), id]))
	return quarantine.flatMap(({ key, parts = [] }) => {
		if (key === quarantineKey) return [{ key, changes }]
		const there = parts.flatMap((part) => idOf.get(part) ?? [])
		return parts.length > 0 && there.length === parts.length ? [{ key, changes: there }] : []
	})
}

/** What Git asks now of changes that go out by waves: null when just that. */
export function askOfWave(
	candidate: Mesh | null,
	{ applied, desired }: { readonly applied: Mesh; readonly desired: Mesh },
): { readonly kind: 'lastGood' | 'otherChanges' } | null {
	if (candidate === null) return { kind: 'otherChanges' }
	const changes = differingIds(applied.resources, candidate.resources)
	const wanted = (id: ResourceId) => withTargetsFrom(desired.resources[id], candidate.resources[id])?.hash ?? null
	if (changes.every((id) => wanted(id) === (candidate.resources[id]?.hash ?? null))) return null
	const isBack = changes.every((id) => wanted(id) === (applied.resources[id]?.hash ?? null))
	return { kind: isBack ? 'lastGood' : 'otherChanges' }
}

/** Shares are a rollout of their own: a route of one mesh with the targets of the other. */
function withTargetsFrom(resource: Resource | undefined, other: Resource | undefined): Resource | undefined {
	if (resource?.kind !== 'Route' || other?.kind !== 'Route') return resource
	return routeWithTargets(resource, other.spec.targets)
}
