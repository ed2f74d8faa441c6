import { compareText } from '#base/diagnostic.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { type ProxyGroup, typeUrls } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { effectiveMesh } from './effective.ts'

export type ComparedResources = {
	/** Envoy resources that come, change and go, by type, each name with the proxies' identity. */
	readonly resources: Readonly<Record<keyof typeof typeUrls, ResourceDifference>>
	/** Identities with proxies in the mesh; of how many something changes. */
	readonly identities: { readonly total: number; readonly changed: number }
}

export type ResourceDifference = {
	readonly added: readonly string[]
	readonly changed: readonly string[]
	readonly removed: readonly string[]
}

type TypeName = keyof typeof typeUrls

/** What two meshes are compiled to, as if either were in force. */
export function compareResources(before: Mesh, after: Mesh): ComparedResources {
	const groups = groupsOf([before, after])
	const differences = groups.flatMap((group) => differencesOf(before, after, group))
	const differenceOf = (type: TypeName): ResourceDifference => {
		const named = (how: Difference['how']) =>
			differences
				.filter((one) => one.type === type && one.how === how)
				.map(({ identity, name }) => `${identity}: ${name}`)
		return { added: named('added'), changed: named('changed'), removed: named('removed') }
	}
	return {
		resources: {
			cluster: differenceOf('cluster'),
			endpoint: differenceOf('endpoint'),
			listener: differenceOf('listener'),
			route: differenceOf('route'),
			secret: differenceOf('secret'),
		},
		identities: { total: groups.length, changed: new Set(differences.map(({ identity }) => identity)).size },
	}
}

type Difference = {
	readonly identity: string
	readonly type: TypeName
	readonly name: string
	readonly how: 'added' | 'changed' | 'removed'
}

function differencesOf(before: Mesh, after: Mesh, group: ProxyGroup): Difference[] {
	const old = compiledOf(before, group)
	const next = compiledOf(after, group)
	const identity = group.identity.name
	const come = [...next].flatMap(([id, { type, name, key }]): Difference[] => {
		const known = old.get(id)
		if (known?.key === key) return []
		return [{ identity, type, name, how: known === undefined ? 'added' : 'changed' }]
	})
	const go = [...old].flatMap(([id, { type, name }]): Difference[] =>
		next.has(id) ? [] : [{ identity, type, name, how: 'removed' }],
	)
	return [...come, ...go]
}

/** One group for each identity, captured and served the way `sluice bootstrap` writes it when nothing else is said. */
function groupsOf(meshes: readonly Mesh[]): ProxyGroup[] {
	const groups = new Map<string, ProxyGroup>()
	for (const mesh of meshes) {
		for (const resource of Object.values(mesh.resources)) {
			if (resource.kind !== 'VirtualNode' && resource.kind !== 'VirtualGateway') continue
			const kind = resource.kind === 'VirtualNode' ? 'virtualNode' : 'virtualGateway'
			groups.set(resource.id, {
				identity: { mesh: resource.mesh, kind, name: resource.name },
				cohort: 'stable',
				capture: { mode: 'explicit', bind: '0.0.0.0', egressPort: 15001, app: { address: '127.0.0.1', port: null } },
				envoyMinor: '1.40',
				secrets: 'daemon',
			})
		}
	}
	return [...groups].sort(([left], [right]) => compareText(left, right)).map(([, group]) => group)
}

function compiledOf(mesh: Mesh, group: ProxyGroup): Map<string, { type: TypeName; name: string; key: string }> {
	const types = new Map(Object.entries(typeUrls).map(([name, url]) => [url, name as TypeName]))
	const compiled = compileGroup(effectiveMesh(mesh, []), group, nothingDiscovered) ?? []
	return new Map(
		compiled.map(({ typeUrl, name, key }) => [
			`${typeUrl} ${name}`,
			{ type: types.get(typeUrl) ?? 'cluster', name, key },
		]),
	)
}
