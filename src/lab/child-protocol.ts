import { once } from 'node:events'

// What goes over the IPC channel between `child.ts` and a verb it started. Call 0 is the start itself.

export type ParentMessage = { readonly call: number; readonly name: string; readonly argument: unknown }

export type ChildMessage =
	| { readonly kind: 'value'; readonly call: number; readonly value: unknown }
	| { readonly kind: 'error'; readonly call: number; readonly error: string }

/** What a verb offers to its parent. `started` is told once; each of `calls` answers one name. */
export type ChildService = {
	readonly started: unknown
	readonly calls: Readonly<Record<string, (argument: never) => unknown>>
	close(): Promise<unknown>
}

/** The child's side: starts the service and serves its parent until the parent hangs up or dies; then closes it. */
export async function serveParent(start: () => Promise<ChildService>): Promise<void> {
	if (!process.connected) throw new TypeError('this verb is started by another process of Sluice only')
	// The terminal's Ctrl-C reaches children too; the parent decides when they end.
	process.on('SIGINT', () => {})
	const gone = once(process, 'disconnect')
	let service: ChildService
	try {
		service = await start()
	} catch (error) {
		await send({ kind: 'error', call: 0, error: messageOf(error) })
		process.disconnect()
		return
	}
	const { calls, started } = service
	process.on('message', (message: ParentMessage) => {
		answer(calls, message).then(send, (error) => send({ kind: 'error', call: message.call, error: messageOf(error) }))
	})
	await send({ kind: 'value', call: 0, value: started })
	await gone
	await service.close()
}

async function answer(calls: ChildService['calls'], message: ParentMessage): Promise<ChildMessage> {
	const called = calls[message.name]
	if (called === undefined) throw new TypeError(`no call ${message.name}`)
	// Both ends are the same program: what arrives is what the parent's typed wrapper sent.
	return { kind: 'value', call: message.call, value: await called(message.argument as never) }
}

/** A parent that has gone is learnt by 'disconnect'; what was meant for it has no reader. */
function send(message: ChildMessage): Promise<void> {
	return new Promise((resolve) => {
		if (process.send === undefined || !process.connected) resolve()
		else process.send(message, undefined, {}, () => resolve())
	})
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}
