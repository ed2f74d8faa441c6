import { madeOfBoth } from '#base/made-of-both.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'
import { endpointsOfCluster } from './endpoints-of-cluster.ts'

// What a proxy holds of one type, and how that differs from what it should hold. Holdings are immutable and shared:
// proxies that hold the same point to the same Map, so that a difference is worked out once for all of them.

/** Said by a reconnecting proxy; its bytes are not known here. */
type Unseen = { readonly kind: 'unseen'; readonly version: string }
/** Told that no such resource exists. */
type Absent = { readonly kind: 'absent'; readonly version: '' }
/**
 * Part of a response that was refused without saying which resource was at fault, or that was never answered: the proxy
 * has `before` or one of `tried` (null: removed).
 */
type Uncertain = {
	readonly kind: 'uncertain'
	readonly version: ''
	readonly before: Certain | null
	readonly tried: readonly (EncodedResource | null)[]
}
type Certain = EncodedResource | Unseen | Absent

export type Held = Certain | Uncertain
export type Holding = ReadonlyMap<string, Held>

/** What a proxy should hold: a holding without doubts. `absent` stands for names it asked for that do not exist. */
export type Target = ReadonlyMap<string, EncodedResource | Absent>

export const absent: Absent = { kind: 'absent', version: '' }
export const emptyHolding: Holding = new Map()

/** What leads from a holding to a target. Shared by all streams that go from the one to the other. */
export type Difference = {
	readonly target: Target
	readonly upserts: readonly EncodedResource[]
	/** Names that are held and should not be, or that the proxy is to be told do not exist. */
	readonly removals: readonly string[]
}

export const differenceOf = madeOfBoth(compare)

export function isEmpty(difference: Difference): boolean {
	return difference.upserts.length === 0 && difference.removals.length === 0
}

function compare(held: Holding, target: Target): Difference {
	const upserts: EncodedResource[] = []
	const removals: string[] = []
	for (const [name, wanted] of target) {
		const has = held.get(name)
		if (isResource(wanted)) {
			if (has?.version !== wanted.version) upserts.push(wanted)
		} else if (has === undefined || isResource(has) || has.kind !== 'absent') removals.push(name)
	}
	for (const [name, has] of held) {
		if (!target.has(name) && (isResource(has) || has.kind !== 'absent')) removals.push(name)
	}
	return { target, upserts, removals }
}

/** `held` after the proxy took this part of the difference. Gives the target itself when the part is all of it. */
export function afterTaking(
	held: Holding,
	difference: Difference,
	upserts: readonly EncodedResource[],
	removals: readonly string[],
): Holding {
	const { target } = difference
	if (upserts.length === difference.upserts.length && removals.length === difference.removals.length) return target
	const after = new Map(held)
	for (const resource of upserts) after.set(resource.name, resource)
	for (const name of removals) {
		if (target.has(name)) after.set(name, absent)
		else after.delete(name)
	}
	return after
}

/** `held` once the proxy may or may not have taken these resources and removals. */
export function afterDoubt(held: Holding, upserts: readonly EncodedResource[], removals: readonly string[]): Holding {
	const after = new Map(held)
	const doubt = (name: string, tried: EncodedResource | null) => after.set(name, uncertain(held.get(name), tried))
	for (const resource of upserts) doubt(resource.name, resource)
	for (const name of removals) doubt(name, null)
	return after
}

/** `held` once the proxy refused these: it has what it had before, as far as that is known. */
export function afterRefusal(held: Holding, refused: readonly EncodedResource[]): Holding {
	const after = new Map(held)
	for (const { name, version } of refused) {
		const has = after.get(name)
		if (!isUncertain(has)) continue
		const tried = has.tried.filter((one) => one?.version !== version)
		if (tried.length > 0) after.set(name, { ...has, tried })
		else if (has.before === null) after.delete(name)
		else after.set(name, has.before)
	}
	return after
}

export function withoutNames(held: Holding, names: Iterable<string>): Holding {
	let after: Map<string, Held> | null = null
	for (const name of names) {
		if (!held.has(name)) continue
		after ??= new Map(held)
		after.delete(name)
	}
	return after ?? held
}

/** What a proxy said it holds, with what is known of it from the target. */
export function recognise(versions: ReadonlyMap<string, string>, target: Target): Holding {
	const held = new Map<string, Held>()
	for (const [name, version] of versions) {
		const wanted = target.get(name)
		held.set(name, wanted?.version === version ? wanted : { kind: 'unseen', version })
	}
	return held
}

/** The resources to repeat in a full answer: for doubtful ones the last that was surely accepted. */
export function certainResources(held: Holding): EncodedResource[] {
	const resources: EncodedResource[] = []
	for (const has of held.values()) {
		const certain = isUncertain(has) ? has.before : has
		if (certain !== null && isResource(certain)) resources.push(certain)
	}
	return resources
}

/** Names of what it holds, in a version of which nothing but the name of it is known here. */
export function unseenNames(held: Holding): string[] {
	return [...held].flatMap(([name, has]) => {
		const certain = isUncertain(has) ? has.before : has
		return certain !== null && !isResource(certain) && certain.kind === 'unseen' ? [name] : []
	})
}

const charsByHolding = new WeakMap<Holding, number>()

/** Of names that stand for no resource of ours, with what a proxy said of them. Worked out once for all who hold the same. */
export function charsOfNames(held: Holding): number {
	let chars = charsByHolding.get(held)
	if (chars === undefined) {
		chars = 0
		for (const [name, has] of held) if (!isResource(has)) chars += name.length + has.version.length
		charsByHolding.set(held, chars)
	}
	return chars
}

/** Whether the proxy surely has some version of it. */
export function surelyHas(held: Holding, name: string): boolean {
	const has = held.get(name)
	if (has === undefined) return false
	if (isResource(has)) return true
	if (has.kind !== 'uncertain') return has.kind === 'unseen'
	return has.before !== null && has.before !== absent && !has.tried.includes(null)
}

/** Whether the proxy may have it in any version. */
export function mayHave(held: Holding, name: string): boolean {
	const has = held.get(name)
	return has !== undefined && has !== absent
}

/** Version that the proxy surely holds, or null. */
export function heldVersion(held: Holding, name: string): string | null {
	const version = held.get(name)?.version
	return version === undefined || version === '' ? null : version
}

export type References = {
	readonly clusters: ReadonlySet<string>
	readonly routes: ReadonlySet<string>
	/** Names of the endpoint resources that EDS clusters use. */
	readonly endpoints: ReadonlySet<string>
	readonly secrets: ReadonlySet<string>
	/** Something is held whose references are not known. */
	readonly incomplete: boolean
}

const referencesByHolding = new WeakMap<Holding, References>()

/** All that resources of this holding may refer to, in any version that the proxy may have. */
export function referencesOf(held: Holding): References {
	let references = referencesByHolding.get(held)
	if (references === undefined) {
		references = collectReferences(held)
		referencesByHolding.set(held, references)
	}
	return references
}

function collectReferences(held: Holding): References {
	const clusters = new Set<string>()
	const routes = new Set<string>()
	const endpoints = new Set<string>()
	const secrets = new Set<string>()
	let incomplete = false
	for (const has of held.values()) {
		for (const version of isUncertain(has) ? [has.before, ...has.tried] : [has]) {
			if (version === null || version === absent) continue
			if (!isResource(version)) {
				incomplete ||= version.kind === 'unseen'
				continue
			}
			for (const name of version.references.clusters) clusters.add(name)
			for (const name of version.references.routes) routes.add(name)
			for (const name of version.references.endpoints) endpoints.add(name)
			for (const name of version.references.secrets) secrets.add(name)
			const endpointsName = endpointsOfCluster(version)
			if (endpointsName !== null) endpoints.add(endpointsName)
		}
	}
	return { clusters, routes, endpoints, secrets, incomplete }
}

function uncertain(has: Held | undefined, tried: EncodedResource | null): Uncertain {
	// A proxy that comes and goes without an answer is sent the same again and again.
	if (isUncertain(has)) return has.tried.includes(tried) ? has : { ...has, tried: [...has.tried, tried] }
	return { kind: 'uncertain', version: '', before: has ?? null, tried: [tried] }
}

function isResource(has: Held): has is EncodedResource {
	return 'bytes' in has
}

function isUncertain(has: Held | undefined): has is Uncertain {
	return has !== undefined && !isResource(has) && has.kind === 'uncertain'
}
