import { startChild } from './child.ts'
import { serveParent } from './child-protocol.ts'
import { type LoadOptions, startLoad } from './load.ts'
import type { LoadWindow } from './load-log.ts'
import type { Mark } from './mark.ts'

/** A `Load` in a process of its own. Marks are taken in any process of this machine. */
export type LoadProcess = AsyncDisposable & {
	readonly pid: number
	soFar(): Promise<LoadWindow>
	between(from: Mark, until: Mark): Promise<LoadWindow>
	/** Ends the load, then the process. */
	stop(): Promise<LoadWindow>
}

/** Starts it; the first requests go out before this resolves. */
export async function startLoadProcess(options: LoadOptions): Promise<LoadProcess> {
	const child = await startChild('lab-load', options)
	return {
		pid: child.pid,
		soFar: () => child.call('soFar') as Promise<LoadWindow>,
		between: (from, until) => child.call('between', { from, until }) as Promise<LoadWindow>,
		async stop() {
			const total = (await child.call('stop')) as LoadWindow
			await child.stop()
			return total
		},
		[Symbol.asyncDispose]: child.stop,
	}
}

/** The verb `lab-load`. */
export function runLoadProcess(options: LoadOptions): Promise<void> {
	return serveParent(async () => {
		const { soFar, between, stop } = startLoad(options)
		const calls = { soFar, stop, between: ({ from, until }: { from: Mark; until: Mark }) => between(from, until) }
		// A parent that has hung up waits for nothing: what is in flight ends with the process.
		return { started: null, calls, close: async () => process.exit() }
	})
}
