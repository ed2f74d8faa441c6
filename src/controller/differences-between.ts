import { compileGroup } from '#compile/compile-group.ts'
import { type ProxyGroup, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Discovered } from '#discovery/discovered.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'

export type Difference = { readonly typeUrl: TypeUrl; readonly name: string }

/**
 * What a group is served otherwise by the one mesh than by the other. Endpoints and secrets are left out: they are found,
 * whatever goes out by waves.
 */
export function differencesBetween(
	from: EffectiveMesh,
	to: EffectiveMesh,
	{ group, discovered }: { readonly group: ProxyGroup; readonly discovered: Discovered },
): Difference[] {
	const keysOf = (effective: EffectiveMesh) => {
		const compiled = (compileGroup(effective, group, discovered) ?? []).filter(({ typeUrl }) => !isDiscovered(typeUrl))
		return new Map(compiled.map((resource) => [`${resource.typeUrl} ${resource.name}`, resource]))
	}
	const [before, after] = [keysOf(from), keysOf(to)]
	return [...new Map([...before, ...after])].flatMap(([name, { typeUrl, name: ofType }]) => {
		return before.get(name)?.key === after.get(name)?.key ? [] : [{ typeUrl, name: ofType }]
	})
}

/** What is found, and not written. */
export function isDiscovered(typeUrl: TypeUrl): boolean {
	return typeUrl === typeUrls.endpoint || typeUrl === typeUrls.secret
}
