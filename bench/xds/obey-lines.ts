import { createInterface } from 'node:readline'

/**
 * The half of a server under test that the bench talks to: a line `{"port": …}` when it listens, and for each line
 * `change` that comes in one `{"startedMs": …}`, the wall time before it began to change its route. Ends with its input.
 */
export function obeyLines(port: number, change: () => void): void {
	tell({ port })
	const lines = createInterface({ input: process.stdin })
	lines.on('line', (line) => {
		if (line !== 'change') return
		const startedMs = performance.timeOrigin + performance.now()
		change()
		tell({ startedMs })
	})
	lines.on('close', () => process.exit(0))
}

function tell(fact: Readonly<Record<string, number>>): void {
	process.stdout.write(`${JSON.stringify(fact)}\n`)
}
