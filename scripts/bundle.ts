import { join } from 'node:path'
import { build, type Metafile } from 'esbuild'

// Bundled CommonJS asks for Node's own modules by `require`, which an ES module does not have.
const banner = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

export type BundleOptions = {
	/** Name → source, from the project's root on: each becomes `output/NAME.js`. */
	readonly entries: Readonly<Record<string, string>>
	readonly output: string
}

/** Everything but Node itself goes into one file for each entry. Returns what that was. */
export async function bundle({ entries, output }: BundleOptions): Promise<Metafile> {
	const { metafile } = await build({
		absWorkingDir: join(import.meta.dirname, '..'),
		entryPoints: { ...entries },
		outdir: output,
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node24',
		banner: { js: banner },
		// Names stay: a stack trace from the field must be readable.
		minifyWhitespace: true,
		minifySyntax: true,
		legalComments: 'none',
		metafile: true,
		logLevel: 'warning',
	})
	return metafile
}
