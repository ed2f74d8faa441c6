#!/usr/bin/env node
// The installed command. It is plain JavaScript without imports that an old Node lacks: under Node 24 it goes straight
// on to the bundle; under an older one it starts the Node that came with the package, or says what to do.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const needed = 24
const entry = new URL('./main.js', import.meta.url)

if (Number.parseInt(process.versions.node, 10) >= needed) {
	await import(entry.href)
} else {
	const own = ownNode()
	if (own === null) refuse()
	else runUnder(own)
}

function refuse() {
	process.stderr.write(
		`sluice: needs Node ${needed} or newer, and this is ${process.version}. Install Node ${needed}, or run \`npm rebuild node\` where sluice is installed.\n`,
	)
	process.exitCode = 1
}

/** The Node that the package depends on; null when npm was kept from running its install script. */
function ownNode() {
	try {
		const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'))
		const file = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
		return existsSync(file) ? file : null
	} catch (error) {
		if (error.code === 'MODULE_NOT_FOUND') return null
		throw error
	}
}

/** Hands arguments, streams, signals and the exit code through; ends as the child ends. */
function runUnder(node) {
	const child = spawn(node, [fileURLToPath(entry), ...process.argv.slice(2)], { stdio: 'inherit' })
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
	child.on('error', (error) => {
		process.stderr.write(`sluice: cannot start ${node}: ${error.message}\n`)
		process.exitCode = 1
	})
	child.on('exit', (code, signal) => {
		process.exit(code ?? 128 + constants.signals[signal])
	})
}
