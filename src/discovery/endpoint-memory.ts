import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { isIPv4, isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { Endpoint, Trouble } from './discovered.ts'

// The last endpoints, kept beside the state, so that a daemon that starts while Cloud Map is away serves them. It is no
// part of the state: when it cannot be written or read, nothing else suffers.

export type EndpointMemory = {
	/** What was written last; empty when there is none, or it cannot be understood. */
	load(): Promise<ReadonlyMap<string, readonly Endpoint[]>>
	/** Writes them down soon. */
	save(endpoints: ReadonlyMap<string, readonly Endpoint[]>): void
	trouble(): Trouble | null
	/** Writes what is still to be written. */
	close(): Promise<void>
}

export const endpointsFileName = 'endpoints.json'

type Options = { readonly directory: string; readonly clock: Clock; readonly log: Log }

export function createEndpointMemory({ directory, clock, log }: Options): EndpointMemory {
	const file = join(directory, endpointsFileName)
	let unwritten: ReadonlyMap<string, readonly Endpoint[]> | null = null
	let timer: Timer | null = null
	let writing: Promise<void> = Promise.resolve()
	let trouble: Trouble | null = null
	let isOpen = true

	function writeSoon(delayMs: number): void {
		timer ??= clock.setTimer(delayMs, () => {
			timer = null
			writing = writing.then(write)
		})
	}

	async function write(): Promise<void> {
		const endpoints = unwritten
		if (endpoints === null) return
		try {
			await writeWhole(file, JSON.stringify({ version: 1, endpoints: Object.fromEntries(endpoints) }))
			if (unwritten === endpoints) unwritten = null
			if (trouble !== null) log.info('discovery.recovered', { subject: trouble.subject })
			trouble = null
		} catch (error) {
			const message = `cannot be written (${codeOf(error)}); a restart while Cloud Map is away would not know them`
			const subject = `the file ${endpointsFileName}`
			if (trouble === null) log.warn('discovery.trouble', { code: 'SL0510', subject, message })
			trouble = { code: 'SL0510', subject, message, sinceWallMs: trouble?.sinceWallMs ?? clock.wallMs() }
			if (isOpen) writeSoon(limits.endpointsFileRetryMs)
		}
	}

	return {
		async load() {
			try {
				if ((await stat(file)).size > limits.endpointsFileBytes) throw new Error('too large')
				return readEndpoints(JSON.parse(await readFile(file, 'utf8')))
			} catch (error) {
				if (codeOf(error) !== 'ENOENT') log.warn('discovery.endpoints.unread', { reason: codeOf(error) })
				return new Map()
			}
		},
		save(endpoints) {
			unwritten = endpoints
			writeSoon(limits.endpointsFileDelayMs)
		},
		trouble: () => trouble,
		async close() {
			isOpen = false
			timer?.cancel()
			await writing
			await write()
		},
	}
}

/** All of it or nothing: another file is written, synced, and takes the name. */
async function writeWhole(file: string, text: string): Promise<void> {
	const draft = `${file}.new`
	try {
		const handle = await open(draft, 'w', 0o600)
		try {
			await handle.writeFile(text)
			await handle.sync()
		} finally {
			await handle.close()
		}
		await rename(draft, file)
	} catch (error) {
		// It may hold the last bytes of a full disk.
		await rm(draft, { force: true })
		throw error
	}
}

/** What is not as it was written is left out. */
function readEndpoints(content: unknown): Map<string, readonly Endpoint[]> {
	const known = new Map<string, readonly Endpoint[]>()
	if (!isRecord(content) || content.version !== 1 || !isRecord(content.endpoints)) return known
	for (const [key, list] of Object.entries(content.endpoints)) {
		if (!Array.isArray(list)) continue
		const endpoints = list.map(readEndpoint)
		if (endpoints.every((endpoint) => endpoint !== null)) known.set(key, endpoints)
	}
	return known
}

function readEndpoint(value: unknown): Endpoint | null {
	if (!isRecord(value)) return null
	const { ipv4, ipv6, zone } = value
	if (typeof zone !== 'string') return null
	if (ipv4 !== null && !(typeof ipv4 === 'string' && isIPv4(ipv4))) return null
	if (ipv6 !== null && !(typeof ipv6 === 'string' && isIPv6(ipv6) && !ipv6.includes('%'))) return null
	return { ipv4, ipv6, zone }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function codeOf(error: unknown): string {
	if (error instanceof SyntaxError) return 'no JSON'
	if (error instanceof Error) return 'code' in error ? String(error.code) : error.message
	return String(error)
}
