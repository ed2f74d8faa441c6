import { createInterface } from 'node:readline'

type Fact = Readonly<Record<string, number>>

/**
 * The half of a server under test that the bench talks to: prints a line `{"port": …}` when it listens, and for each
 * line that comes in and is one of the orders, what that returns, as JSON. Ends with its input.
 */
export function obeyLines(port: number, orders: Readonly<Record<string, () => Fact>>): void {
	tell({ port })
	const lines = createInterface({ input: process.stdin })
	lines.on('line', (line) => {
		const obey = orders[line]
		if (obey !== undefined) tell(obey())
	})
	lines.on('close', () => process.exit(0))
}

/** The order `change`; tells the wall time before it began. */
export function changing(change: () => void): () => Fact {
	return () => {
		const startedMs = performance.timeOrigin + performance.now()
		change()
		return { startedMs }
	}
}

function tell(fact: Fact): void {
	process.stdout.write(`${JSON.stringify(fact)}\n`)
}
