// Builds dist/: one file for each program of base/program.ts, and the launcher that the `sluice` command is.
// Everything but Node itself is bundled, so that the package and the image hold no node_modules.
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { programs } from '../src/base/program.ts'
import { bundle } from './bundle.ts'

const root = join(import.meta.dirname, '..')
const output = join(root, 'dist')

async function main(): Promise<void> {
	rmSync(output, { recursive: true, force: true })
	const entries = Object.entries(programs).filter(([, source]) => existsSync(join(root, 'src', source)))
	const metafile = await bundle({
		entries: Object.fromEntries(entries.map(([name, source]) => [name, `src/${source}`])),
		output,
	})
	writeFileSync(join(output, 'THIRD-PARTY-LICENSES.txt'), licencesOf(metafile))
	const command = join(output, 'sluice.js')
	copyFileSync(join(root, 'src/launch.mjs'), command)
	chmodSync(command, 0o755)
}

/** The licence of every package of which something went into the bundle. */
function licencesOf(metafile: Metafile): string {
	const folders = new Set<string>()
	for (const input of Object.keys(metafile.inputs)) {
		const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]
		if (folder !== undefined) folders.add(folder)
	}
	return [...folders].sort().map(licenceOf).join('\n\n')
}

function licenceOf(folder: string): string {
	const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
	const texts = readdirSync(join(root, folder))
		.filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
		.map((file) => readFileSync(join(root, folder, file), 'utf8').trim())
	return [`${name} ${version} (${license})`, '-'.repeat(72), ...texts].join('\n')
}

await main()
