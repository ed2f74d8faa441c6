export type Told = {
	/** Resolves with the signal that asks for a stop. */
	readonly stop: Promise<NodeJS.Signals>
	/** Resolves when a second one comes. */
	readonly again: Promise<NodeJS.Signals>
}

/** Listens to the process's signals from now on. */
export function untilTold({ onHangUp }: { readonly onHangUp: () => void }): Told {
	const stop = Promise.withResolvers<NodeJS.Signals>()
	const again = Promise.withResolvers<NodeJS.Signals>()
	let told = 0
	for (const signal of ['SIGTERM', 'SIGINT'] as const) {
		process.on(signal, () => {
			told += 1
			if (told === 1) stop.resolve(signal)
			else again.resolve(signal)
		})
	}
	process.on('SIGHUP', onHangUp)
	return { stop: stop.promise, again: again.promise }
}
