import type { Mesh } from '#mesh/mesh.ts'
import { countFindings, renderFindings } from './offline-output.ts'
import { toPrintable } from './printable.ts'
import type { VerbContext } from './verb.ts'

/** The mesh in a folder, for a verb that needs it whole; null once it was said why there is none, and how the verb ends. */
export async function readMeshFolder(folder: string, { terminal, end }: VerbContext): Promise<Mesh | null> {
	const { validateFolder } = await import('#controller/preview.ts')
	const read = await validateFolder(folder)
	if (read.kind === 'unreadable') {
		terminal.talk(`sluice: ${toPrintable(read.message)}`)
		end('badInput')
		return null
	}
	const { outcome } = read
	if (outcome.kind === 'ok') return outcome.mesh
	terminal.talk(renderFindings(outcome.diagnostics, { folder, form: 'text', terminal }))
	terminal.talk(`\nrefused: ${countFindings(outcome.diagnostics)}`)
	end('findings')
	return null
}
