// test/golden/mesh/NAME/in/*.yaml → out.json: the mesh and its warnings, or everything that is wrong. `-u` rewrites.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderDiagnostic } from '../../src/cli/render-diagnostic.ts'
import type { Diagnostic } from '../../src/base/diagnostic.ts'
import type { ReadOutcome } from '../../src/mesh/mesh.ts'
import { readMesh } from '../../src/mesh/read-mesh.ts'

const root = join(import.meta.dirname, 'mesh')

test.for(readdirSync(root))('mesh/%s', async (name) => {
	const input = join(root, name, 'in')
	const files = new Map(readdirSync(input).map((file) => [file, readFileSync(join(input, file))]))
	const outcome = readMesh(files)
	const shown =
		outcome.kind === 'ok'
			? { outcome: 'ok', warnings: outcome.warnings.map(render), mesh: outcome.mesh, ...expectationsIn(outcome) }
			: { outcome: 'refused', diagnostics: outcome.diagnostics.map(render) }
	await expect(`${JSON.stringify(shown, null, '\t')}\n`).toMatchFileSnapshot(join(root, name, 'out.json'))
	expect(outcome.kind === 'refused').toBe(name.startsWith('wrong-') || name === 'no-follow-ups')
})

function expectationsIn({ expectations }: Extract<ReadOutcome, { kind: 'ok' }>) {
	return expectations.length === 0 ? {} : { expectations }
}

function render(diagnostic: Diagnostic): string[] {
	return renderDiagnostic(diagnostic, { color: false }).split('\n')
}
