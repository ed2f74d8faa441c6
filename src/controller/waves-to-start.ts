import { hashValue } from '#base/hash.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh, Resource, ResourceId, RolloutPolicySpec, WavesSpec } from '#mesh/mesh.ts'
import { resourceId } from '#mesh/mesh.ts'
import { policyForWaves } from '#mesh/rollout-policy.ts'
import { meshOfId, routeWithTargets } from './apply-at-once.ts'

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
	const changes = changedIds(resources, candidate)
	const [first] = changes
	if (first === undefined) return null
	const policy = policyForWaves(desired, meshOfId(first))
	if (policy?.waves == null) return null
	const quarantineKey = hashValue({ waves: changes.map((id) => [id, candidate[id]?.hash ?? null]) })
	return {
		mesh: resourceId.mesh(meshOfId(first)),
		candidate: composeMesh(candidate),
		changes,
		policy,
		waves: policy.waves,
		quarantineKey,
	}
}

/** What Git asks now of changes that go out by waves: null when just that. */
export function askOfWave(
	candidate: Mesh | null,
	{ applied, desired }: { readonly applied: Mesh; readonly desired: Mesh },
): { readonly kind: 'lastGood' | 'otherChanges' } | null {
	if (candidate === null) return { kind: 'otherChanges' }
	const changes = changedIds(applied.resources, candidate.resources)
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

function changedIds(
	before: Readonly<Record<ResourceId, Resource>>,
	after: Readonly<Record<ResourceId, Resource>>,
): ResourceId[] {
	const ids = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort() as ResourceId[]
	return ids.filter((id) => before[id]?.hash !== after[id]?.hash)
}
