import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { systemClock } from '#base/system-clock.ts'
import { atExit } from './at-exit.ts'
import type { ChildMessage, ParentMessage } from './child-protocol.ts'
import { LabError } from './lab-error.ts'
import { withDeadline } from './until.ts'

/** A part of the lab in a process of its own, so that what it costs is not the daemon's or the demo's. */
export type Child = AsyncDisposable & {
	readonly pid: number
	/** What the verb said once it had started. */
	readonly started: unknown
	/** Rejects when the child throws, has gone, or does not answer within `childCallMs`. */
	call(name: string, argument?: unknown): Promise<unknown>
	/** Ends it, by force if it does not go within `childStopMs`. */
	stop(): Promise<void>
}

/**
 * Starts this same program again with a hidden verb of `verbs.ts` and waits until it says that it has started. The child
 * ends when this process does, even by SIGKILL: it watches the channel between them.
 */
export async function startChild(verb: string, argument: unknown, clock: Clock = systemClock): Promise<Child> {
	const child = spawn(process.execPath, [entry(), verb, JSON.stringify(argument)], {
		stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
	})
	const release = atExit(() => child.kill('SIGKILL'))
	const exited = once(child, 'exit').finally(release)
	const open = new Map<number, { resolve(value: unknown): void; reject(error: LabError): void }>()
	let calls = 0

	const started = new Promise<unknown>((resolve, reject) => open.set(0, { resolve, reject }))
	child.on('message', (message: ChildMessage) => {
		const asked = open.get(message.call)
		open.delete(message.call)
		if (message.kind === 'value') asked?.resolve(message.value)
		else asked?.reject(new LabError('refused', `${verb}: ${message.error}`))
	})
	child.on('exit', (code, signal) => {
		for (const { reject } of open.values())
			reject(new LabError('exited', `${verb} ended with ${signal ?? `code ${code}`}`))
		open.clear()
	})

	function call(name: string, given?: unknown): Promise<unknown> {
		calls += 1
		const message: ParentMessage = { call: calls, name, argument: given }
		const answered = new Promise<unknown>((resolve, reject) => {
			open.set(message.call, { resolve, reject })
			child.send(message, (error) => {
				if (error !== null && open.delete(message.call)) reject(new LabError('exited', `${verb} has ended`))
			})
		})
		return withDeadline(answered, { clock, deadlineMs: limits.childCallMs, what: `${verb} ${name}` })
	}

	async function stop(): Promise<void> {
		if (child.connected) child.disconnect()
		const timer = clock.setTimer(limits.childStopMs, () => child.kill('SIGKILL'))
		await exited
		timer.cancel()
	}

	try {
		const value = await withDeadline(started, { clock, deadlineMs: limits.childStartMs, what: `${verb} starts` })
		return { pid: child.pid ?? 0, started: value, call, stop, [Symbol.asyncDispose]: stop }
	} catch (error) {
		await stop()
		throw error
	}
}

/** From the sources a small entry beside this file; in the bundle, which is one file, the command itself. */
function entry(): string {
	const here = import.meta.url
	return fileURLToPath(here.endsWith('/child.ts') ? new URL('./lab-process.ts', here) : here)
}
