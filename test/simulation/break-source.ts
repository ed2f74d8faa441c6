import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { Breakage } from './breakages.ts'

const root = join(import.meta.dirname, '../..')

/** The simulator as one program of its own, built from source that is broken. */
export type BuiltSimulator = { readonly program: string; remove(): void }

/** Fails when the text of an edit is not exactly once in its file. */
export async function buildSimulator(breakage: Breakage): Promise<BuiltSimulator> {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-breakage-'))
	const program = join(folder, 'simulate.mjs')
	await build({
		absWorkingDir: root,
		entryPoints: ['test/simulation/main.ts'],
		outfile: program,
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node24',
		logLevel: 'warning',
		plugins: [pluginOf(breakage)],
	})
	return { program, remove: () => rmSync(folder, { recursive: true }) }
}

function pluginOf(breakage: Breakage): Plugin {
	const texts = brokenTexts(breakage)
	return {
		name: 'breakage',
		setup({ onLoad }) {
			onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
				const contents = texts.get(path)
				return contents === undefined ? null : { contents, loader: 'ts' }
			})
		},
	}
}

/** Path → what is in the file once it is broken. */
function brokenTexts({ name, edits }: Breakage): ReadonlyMap<string, string> {
	const texts = new Map<string, string>()
	for (const { file, find, replace } of edits) {
		const path = join(root, file)
		const text = texts.get(path) ?? readFileSync(path, 'utf8')
		const [before, after, ...more] = text.split(find)
		if (before === undefined || after === undefined || more.length > 0)
			throw new Error(`${name}: this must be in ${file} exactly once, and is not: ${find}`)
		texts.set(path, before + replace + after)
	}
	return texts
}
