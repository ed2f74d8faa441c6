import { type App, type AppOptions, startApp } from './app.ts'
import type { AppCounts } from './app-behaviour.ts'
import type { AppFailure } from './app-failure.ts'
import { startChild } from './child.ts'
import { serveParent } from './child-protocol.ts'

/** An `App` in a process of its own. */
export type AppProcess = AsyncDisposable & {
	readonly name: string
	readonly address: string
	readonly port: number
	readonly pid: number
	setFailure(failure: AppFailure): Promise<void>
	heal(): Promise<void>
	counts(): Promise<AppCounts>
	stop(): Promise<void>
}

/** Starts it and resolves once it listens; rejects with the reason when it cannot. */
export async function startAppProcess(options: AppOptions): Promise<AppProcess> {
	const child = await startChild('lab-app', options)
	return {
		name: options.name,
		address: options.address,
		port: (child.started as Pick<App, 'port'>).port,
		pid: child.pid,
		async setFailure(failure) {
			await child.call('setFailure', failure)
		},
		async heal() {
			await child.call('heal')
		},
		counts: () => child.call('counts') as Promise<AppCounts>,
		stop: child.stop,
		[Symbol.asyncDispose]: child.stop,
	}
}

/** The verb `lab-app`. */
export function runAppProcess(options: AppOptions): Promise<void> {
	return serveParent(async () => {
		const { port, setFailure, heal, counts, close } = await startApp(options)
		return { started: { port }, calls: { setFailure, heal, counts }, close }
	})
}
