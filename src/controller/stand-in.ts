import { besideClusterName, routedClusterName } from '#compile/clone-names.ts'
import { type CompiledResource, typeUrls } from '#compile/compiled.ts'
import { egressClusterName } from '#compile/names.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { Split, Target } from '#plan/plan.ts'
import { allSplits, type EffectiveMesh, type RouteFront, type RouteMirror } from '#rollout/effective-mesh.ts'

// A route configuration carries the routes of many services. When one of them leads to a cluster that waits for its
// endpoints or a secret, all of them would wait with it, and a way back among them too. Until the cluster can be sent,
// the configuration is served as it was before that cluster, at the shares in force.

export type StandInOptions = {
	readonly inForce: EffectiveMesh
	/** What was last served without anything that waits; null when there is nothing. */
	readonly before: EffectiveMesh | null
	readonly compile: (effective: EffectiveMesh) => readonly CompiledResource[] | null
}

export type WithStandIns = {
	readonly resources: readonly CompiledResource[]
	/** `whole`: nothing had to be stood in for. */
	readonly kind: 'whole' | 'partial'
}

export function withStandIns(compiled: readonly CompiledResource[], options: StandInOptions): WithStandIns {
	const whole: WithStandIns = { resources: compiled, kind: 'whole' }
	const waiting = clustersThatWait(compiled)
	if (waiting.size === 0) return whole
	const { inForce, before, compile } = options
	const known = before === null ? null : compile(before)
	if (before === null || known === null) return { ...whole, kind: 'partial' }
	// A cluster that was there before stays as it was, and holds up nobody.
	for (const { typeUrl, name } of known) if (typeUrl === typeUrls.cluster) waiting.delete(name)
	if (waiting.size === 0) return whole
	const settled = { ...inForce, ...besideWithout(waiting, inForce) }
	const older = compile(sharesUpon(before, settled, sharesWithout(waiting, inForce)))
	return { resources: replaceNaming(waiting, compiled, older ?? known), kind: 'partial' }
}

/**
 * Newer shares upon older resources. What the shares name and the older resources do not know, or know by another name,
 * comes along: a split that names a cluster that nobody has would keep everything else from being served.
 * @param splits of `inForce`, or some of them
 */
export function sharesUpon(
	before: EffectiveMesh,
	inForce: EffectiveMesh,
	splits: EffectiveMesh['moved'],
): EffectiveMesh {
	const targets = Object.values(splits).flat()
	const unknown = new Set(
		targets.filter((target) => !isKnownAlike(target, before, inForce)).map(({ virtualNode }) => virtualNode),
	)
	// By the same clusters, and drawn alike: what is judged by its own is not to be sent by others' for a while.
	const { clones, fronts, mirrors, sticky } = inForce
	const resources = withNodes(before, inForce, unknown)
	return { ...before, resources, moved: { ...before.moved, ...splits }, clones, fronts, mirrors, sticky }
}

function isKnownAlike(target: Target, before: EffectiveMesh, inForce: EffectiveMesh): boolean {
	if (inForce.resources[target.virtualNode] === undefined) return true
	if (before.resources[target.virtualNode] === undefined) return false
	return egressClusterName(target, before.resources) === egressClusterName(target, inForce.resources)
}

type Resources = EffectiveMesh['resources']
type Joined = { readonly from: Resources; readonly names: string; readonly resources: Resources }

/** What a mesh is indexed by is its object, and every group of proxies asks for the same. */
const joined = new WeakMap<Resources, Joined>()

function withNodes(before: EffectiveMesh, inForce: EffectiveMesh, nodes: ReadonlySet<ResourceId>): Resources {
	if (nodes.size === 0) return before.resources
	const known = joined.get(before.resources)
	const names = [...nodes].join(' ')
	if (known?.from === inForce.resources && known.names === names) return known.resources
	const added = [...nodes].flatMap((id) => inForce.resources[id] ?? []).map((node) => [node.id, node] as const)
	const resources: Resources = { ...before.resources, ...Object.fromEntries(added) }
	joined.set(before.resources, { from: inForce.resources, names, resources })
	return resources
}

function clustersThatWait(compiled: readonly CompiledResource[]): Set<string> {
	const namesOf = (typeUrl: string) =>
		new Set(compiled.filter((resource) => resource.typeUrl === typeUrl).map(({ name }) => name))
	const [endpoints, secrets] = [namesOf(typeUrls.endpoint), namesOf(typeUrls.secret)]
	const waits = ({ references }: CompiledResource) =>
		references.endpoints.some((name) => !endpoints.has(name)) || references.secrets.some((name) => !secrets.has(name))
	return new Set(
		compiled.filter((resource) => resource.typeUrl === typeUrls.cluster && waits(resource)).map(({ name }) => name),
	)
}

/** Shares in force of the routes that lead to none of these clusters; who has no share of a route is left out of it. */
function sharesWithout(waiting: ReadonlySet<string>, inForce: EffectiveMesh): EffectiveMesh['moved'] {
	const routes = Object.entries(allSplits(inForce)) as [ResourceId, Split][]
	const waits = (route: ResourceId) => (target: Target) => waiting.has(routedClusterName(target, route, inForce))
	return Object.fromEntries(
		routes
			.filter(([route, split]) => !split.some((target) => target.sharePpm > 0 && waits(route)(target)))
			.map(([route, split]) => [
				route,
				split.some(waits(route)) ? split.filter((target) => !waits(route)(target)) : split,
			]),
	)
}

/** What is in front, and copies, go to their clusters when all of them are there. */
function besideWithout(
	waiting: ReadonlySet<string>,
	{ fronts, mirrors, resources }: EffectiveMesh,
): Pick<EffectiveMesh, 'fronts' | 'mirrors'> {
	const waits = (way: 'front' | 'mirror', { calledAfter }: RouteFront | RouteMirror, targets: readonly Target[]) =>
		targets.some((target) => waiting.has(besideClusterName(way, { target, calledAfter, resources })))
	const settle = <Value extends RouteFront | RouteMirror>(value: Value, isWaiting: boolean): Value =>
		isWaiting ? { ...value, standing: 'beside' } : value
	return {
		fronts: mapValues(fronts, (front) => settle(front, waits('front', front, front.split))),
		mirrors: mapValues(mirrors, (mirror) => settle(mirror, waits('mirror', mirror, mirror.copies))),
	}
}

function mapValues<Value>(
	record: Readonly<Record<string, Value>>,
	change: (value: Value) => Value,
): Readonly<Record<string, Value>> {
	return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}

/** Each resource that names one of these clusters as it was before, with the clusters that it needs then. */
function replaceNaming(
	waiting: ReadonlySet<string>,
	compiled: readonly CompiledResource[],
	older: readonly CompiledResource[],
): CompiledResource[] {
	const keyOf = ({ typeUrl, name }: Pick<CompiledResource, 'typeUrl' | 'name'>) => `${typeUrl} ${name}`
	const before = new Map(older.map((resource) => [keyOf(resource), resource]))
	const result = new Map(compiled.map((resource) => [keyOf(resource), resource]))
	const add = (typeUrl: CompiledResource['typeUrl'], name: string) => {
		const missing = before.get(keyOf({ typeUrl, name }))
		if (missing === undefined || result.has(keyOf(missing))) return
		result.set(keyOf(missing), missing)
		addReferred(missing)
	}
	const addReferred = ({ references }: CompiledResource) => {
		for (const name of references.clusters) add(typeUrls.cluster, name)
		for (const name of references.routes) add(typeUrls.route, name)
		for (const name of references.endpoints) add(typeUrls.endpoint, name)
		for (const name of references.secrets) add(typeUrls.secret, name)
	}
	for (const resource of compiled) {
		if (!resource.references.clusters.some((name) => waiting.has(name))) continue
		const standIn = before.get(keyOf(resource))
		if (standIn === undefined) continue
		result.set(keyOf(resource), standIn)
		addReferred(standIn)
	}
	return [...result.values()]
}
