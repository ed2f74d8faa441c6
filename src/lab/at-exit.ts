import { constants } from 'node:os'

// What the lab leaves on the machine (child processes, temporary folders) has to go however this process ends, short of
// SIGKILL. One set of listeners serves all of it.

const actions = new Set<() => void>()
const deadlySignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs `action` (synchronous, must not throw) when the process ends, newest first. Gives the way to take it back. */
export function atExit(action: () => void): () => void {
	if (actions.size === 0) listen()
	// A set keeps one entry a function: the wrapper makes every registration its own.
	const registered = () => action()
	actions.add(registered)
	return () => {
		actions.delete(registered)
		if (actions.size === 0) unlisten()
	}
}

function listen(): void {
	process.on('exit', runAll)
	for (const signal of deadlySignals) process.on(signal, endBySignal)
}

function unlisten(): void {
	process.off('exit', runAll)
	for (const signal of deadlySignals) process.off(signal, endBySignal)
}

function runAll(): void {
	for (const action of [...actions].reverse()) action()
	actions.clear()
}

/** A signal runs no 'exit' listener by itself. Whoever else listens for it decides how the process ends. */
function endBySignal(signal: NodeJS.Signals): void {
	if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal])
}
