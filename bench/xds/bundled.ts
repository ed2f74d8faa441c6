import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programs } from '#base/program.ts'
import { bundle } from '../../scripts/bundle.ts'

/** Files that Node starts. */
export type Bundled = Readonly<Record<'sluice' | 'served' | 'floor', string>>

/**
 * Sluice as it is shipped, and the bench's own servers in the same form: from sources each would hold the compiler of
 * its types too.
 */
export async function bundlePrograms(output: string): Promise<Bundled> {
	const ours = Object.entries(programs).map(([name, source]) => [name, `src/${source}`])
	await bundle({
		entries: {
			...Object.fromEntries(ours),
			served: 'bench/xds/served-child.ts',
			floor: 'bench/xds/floor-child.ts',
		},
		output,
	})
	writeFileSync(join(output, 'package.json'), '{ "type": "module" }')
	const file = (name: string) => join(output, `${name}.js`)
	return { sluice: file('main'), served: file('served'), floor: file('floor') }
}
