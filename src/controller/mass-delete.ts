import type { Diagnostic } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { Mesh } from '#mesh/mesh.ts'

/** Refuses a revision that deletes more than max(3, 20 %) of the resources at once, until a person accepts it. */
export function massDelete(before: Mesh, after: Mesh): Diagnostic | null {
	const ids = Object.keys(before.resources)
	const gone = ids.filter((id) => !Object.hasOwn(after.resources, id))
	const allowed = Math.max(limits.massDeleteCount, Math.floor(ids.length * limits.massDeleteShare))
	if (gone.length <= allowed) return null
	const names = gone.slice(0, 5).join(', ')
	return {
		code: 'SL0004',
		severity: 'error',
		message: `this revision deletes ${gone.length} of ${ids.length} resources at once (${names}${gone.length > 5 ? ', …' : ''}); ${allowed} are allowed`,
		file: '',
		line: 0,
		column: 0,
		hint: 'delete in smaller commits, or take it in with `sluice accept REVISION --reason TEXT`',
		frame: [],
	}
}
