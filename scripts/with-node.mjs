// Runs a TypeScript file of this project under the project's own Node: `node scripts/with-node.mjs FILE ARGUMENT…`.
// It is plain JavaScript, since npm may start it with an older Node that cannot read TypeScript. Where npm was kept
// from running install scripts, that Node is not there yet and is put in place first.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const own = join(root, 'node_modules/node/bin/node')

const isNewEnough = Number.parseInt(process.versions.node, 10) >= 24
if (!isNewEnough && !existsSync(own)) {
	console.log('setup: putting Node 24 in place (npm rebuild node)')
	const rebuilt = spawnSync('npm', ['rebuild', 'node'], { cwd: root, stdio: 'inherit' })
	if (rebuilt.status !== 0 || !existsSync(own)) {
		console.error('setup: Node 24 or newer is needed. Install it, or run `npm install` with install scripts allowed.')
		process.exit(1)
	}
}
const [file, ...rest] = process.argv.slice(2)
const run = spawnSync(isNewEnough ? process.execPath : own, [file, ...rest], { stdio: 'inherit' })
if (run.error !== undefined) throw run.error
process.exit(run.status ?? 1)
