import { fork } from 'node:child_process'
import { join } from 'node:path'
import { systemClock } from '#base/system-clock.ts'
import { LabError } from '#lab/lab-error.ts'
import { withDeadline } from '#lab/until.ts'
import type { Arrivals, LoadCommand, LoadReply, Reported } from './load-messages.ts'

export type LoadClient = AsyncDisposable & {
	/** All proxies have an answer for each type; how many bytes that were in all. */
	open(fleet: Omit<Extract<LoadCommand, { kind: 'open' }>, 'kind'>): Promise<number>
	/** The change that `change` makes has reached all proxies. */
	awaitChange(change: () => Promise<number>): Promise<{ readonly startedMs: number; readonly arrivals: Arrivals }>
	/** Each proxy has pushed what it has counted of the clusters that `open` was told. */
	flush(): Promise<Reported>
	/** All connections are closed, and opened again by proxies that hold what they were served at first. */
	reconnect(): void
	/** How many bytes all proxies were sent since then. */
	received(): Promise<number>
}

const openMs = 600_000
const changeMs = 120_000

export function startLoadClient(): LoadClient {
	const child = fork(join(import.meta.dirname, 'load-child.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
	const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
	const waiting = new Set<(reply: LoadReply) => void>()
	child.on('message', (reply: LoadReply) => {
		for (const take of [...waiting]) take(reply)
	})

	function hear<Kind extends LoadReply['kind']>(
		kind: Kind,
		deadlineMs: number,
	): Promise<Extract<LoadReply, { kind: Kind }>> {
		const heard = new Promise<Extract<LoadReply, { kind: Kind }>>((resolve, reject) => {
			const take = (reply: LoadReply) => {
				if (reply.kind !== kind && reply.kind !== 'failed') return
				waiting.delete(take)
				if (reply.kind === 'failed') reject(new LabError('refused', reply.why))
				else resolve(reply as Extract<LoadReply, { kind: Kind }>)
			}
			waiting.add(take)
			void ended.then(() => reject(new LabError('refused', 'the load client ended')))
		})
		return withDeadline(heard, { clock: systemClock, deadlineMs, what: `the load client's fleet has ${kind}` })
	}

	function send(command: LoadCommand): void {
		child.send(command)
	}

	return {
		async open(fleet) {
			send({ kind: 'open', ...fleet })
			const { bytes } = await hear('opened', openMs)
			return bytes
		},
		async awaitChange(change) {
			send({ kind: 'arm' })
			await hear('armed', changeMs)
			const [{ arrivals }, startedMs] = await Promise.all([hear('arrived', changeMs), change()])
			return { startedMs, arrivals }
		},
		async flush() {
			send({ kind: 'flush' })
			return await hear('flushed', changeMs)
		},
		reconnect: () => send({ kind: 'reconnect' }),
		async received() {
			send({ kind: 'count' })
			return (await hear('counted', changeMs)).bytes
		},
		async [Symbol.asyncDispose]() {
			child.kill('SIGKILL')
			await ended
		},
	}
}
