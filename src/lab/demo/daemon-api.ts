import { limits } from '#base/limits.ts'
import type { Status } from '#controller/status.ts'
import { LabError } from '../lab-error.ts'

export type RolloutStatus = Status['rollouts'][number]

/** A record of the journal, as the daemon tells it. */
export type JournalTold = {
	readonly sequence: number
	/** ISO 8601. */
	readonly time: string
	readonly event: string
	readonly rollout: string | null
	readonly actor: string
	readonly reason: string
	readonly numbers: Readonly<Record<string, unknown>>
}

/** The daemon's API, as far as the demo asks it. Every call rejects with a LabError when the daemon does not answer. */
export type DaemonApi = {
	status(): Promise<Status>
	retry(rollout: string, reason: string): Promise<void>
	/** The journal from its beginning, as it grows; ends when the daemon or `signal` ends it. */
	journal(signal: AbortSignal): AsyncGenerator<JournalTold>
}

/** @param address `host:port` */
export function createDaemonApi(address: string): DaemonApi {
	async function call(path: string, request: RequestInit): Promise<Response> {
		let response: Response
		try {
			response = await fetch(`http://${address}${path}`, request)
		} catch (error) {
			throw new LabError('exited', `the daemon does not answer ${path}: ${causeOf(error)}`)
		}
		if (response.ok) return response
		throw new LabError('refused', `the daemon answers ${path} with ${response.status}: ${await response.text()}`)
	}

	const deadline = () => AbortSignal.timeout(limits.cliCallMs)

	return {
		async status() {
			return (await call('/api/v1/status', { signal: deadline() })).json() as Promise<Status>
		},
		async retry(rollout, reason) {
			await call(`/api/v1/rollouts/${encodeURIComponent(rollout)}/retry`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ actor: 'demo', reason }),
				signal: deadline(),
			})
		},
		async *journal(signal) {
			const { body } = await call('/api/v1/events?after=0', { signal })
			if (body === null) throw new LabError('refused', 'the daemon tells no events')
			let text = ''
			for await (const bytes of body.pipeThrough(new TextDecoderStream())) {
				const blocks = (text + bytes).split('\n\n')
				text = blocks.pop() ?? ''
				yield* blocks.flatMap(readEvent)
			}
		},
	}
}

/** One block of https://html.spec.whatwg.org/multipage/server-sent-events.html; the daemon writes data on one line. */
export function readEvent(block: string): JournalTold[] {
	const line = block.split('\n').find((candidate) => candidate.startsWith('data: '))
	return line === undefined ? [] : [JSON.parse(line.slice('data: '.length))]
}

function causeOf(error: unknown): string {
	if (error instanceof Error) return error.cause instanceof Error ? error.cause.message : error.message
	return String(error)
}
