import { type ResourceId, resourceId } from '#mesh/mesh.ts'
import { meshOfId } from './apply-at-once.ts'
import type { Refusal, Scope } from './commands.ts'
import { appliedMesh, type Draft, desiredMesh } from './draft.ts'

/** What a person has named; null: everything. It must be there: what is misspelt would do nothing. */
export function findScope(draft: Draft, asked: Scope): { kind: 'found'; scope: ResourceId | null } | Refusal {
	if (asked.mesh === null && asked.router === null) return { kind: 'found', scope: null }
	const resources = [appliedMesh(draft), desiredMesh(draft)].flatMap((mesh) => Object.keys(mesh?.resources ?? {}))
	const found = ([...new Set(resources)] as ResourceId[]).filter((id) => isScope(id, asked))
	const [scope] = found
	const name = nameOfScope(asked)
	if (scope === undefined) return { kind: 'refused', code: 'NOT_FOUND', text: `there is no ${name}` }
	if (found.length === 1) return { kind: 'found', scope }
	return { kind: 'refused', code: 'NOT_FOUND', text: `several meshes have a ${name}: name one of them` }
}

export function isScope(scope: ResourceId | null, { mesh, router, route }: Scope): boolean {
	if (scope === null) return mesh === null && router === null
	const name = mesh ?? meshOfId(scope)
	if (router === null) return mesh !== null && scope === resourceId.mesh(name)
	return scope === (route === null ? resourceId.virtualRouter(name, router) : resourceId.route(name, router, route))
}

function nameOfScope({ mesh, router, route }: Scope): string {
	if (router === null) return `mesh ${mesh}`
	const name = route === null ? `virtual router ${router}` : `route ${router}/${route}`
	return mesh === null ? name : `${name} in mesh ${mesh}`
}
