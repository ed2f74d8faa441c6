import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { isIP, isIPv6 } from 'node:net'
import { assert, unreachable } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import { type DnsAnswer, type DnsQuestion, dnsTypes, readQuery, writeAnswer } from './dns-message.ts'

/** Host name → IP address, or several. */
export type DnsRecords = Readonly<Record<string, string | readonly string[]>>

export type DnsServerOptions = {
	readonly records: DnsRecords
	/** How long an answer may be kept. 1 by default. */
	readonly ttlSeconds?: number
}

/**
 * A DNS server of the lab's own, on loopback and UDP: Envoy's resolver is pointed at it, so that real names resolve
 * without root and without /etc/hosts. A known name has an A or AAAA record for each address; any other name does not exist.
 */
export type DnsServer = AsyncDisposable & {
	readonly address: string
	readonly port: number
	/** From the next query on. Names differ in nothing but case. */
	set(name: string, ...addresses: string[]): void
	remove(name: string): void
	/** The newest questions, oldest first: `name type`, lower case (`serviceb.apps.local 1`). At most `dnsQueriesKept`. */
	queries(): readonly string[]
	close(): Promise<void>
}

export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
	const ttlSeconds = options.ttlSeconds ?? 1
	const records = new Map<string, readonly string[]>()
	const asked: string[] = []
	const socket = createSocket('udp4')

	function set(name: string, ...addresses: string[]): void {
		for (const ip of addresses) assert(isIP(ip) !== 0, `${ip} is an IP address`)
		// With more, an answer could pass the 512 bytes of a plain UDP one.
		assert(addresses.length >= 1 && addresses.length <= 8, `${name} has 1 to 8 addresses`)
		records.set(keyOf(name), addresses)
	}

	function answerTo(question: DnsQuestion): DnsAnswer {
		const addresses = records.get(question.name)
		if (addresses === undefined) return { kind: 'noSuchName' }
		const wanted = addresses.filter((ip) => isAskedFor(question.type, ip))
		return { kind: 'addresses', addresses: wanted, ttlSeconds }
	}

	function receive(message: Buffer, from: RemoteInfo): void {
		const query = readQuery(message)
		switch (query.kind) {
			case 'ignored':
				return
			case 'refused':
				send(query.reply, from)
				return
			case 'question':
				asked.push(`${query.question.name} ${query.question.type}`)
				if (asked.length > limits.dnsQueriesKept) asked.shift()
				send(writeAnswer(query.question, answerTo(query.question)), from)
				return
			default:
				unreachable(query)
		}
	}

	function send(reply: Buffer, to: RemoteInfo): void {
		// Without a callback the error of a client that has gone would end the process; it asks again if it still cares.
		if (to.port !== 0) socket.send(reply, to.port, to.address, () => {})
	}

	async function close(): Promise<void> {
		await new Promise<void>((resolve) => socket.close(resolve))
	}

	for (const [name, ip] of Object.entries(options.records)) set(name, ...(typeof ip === 'string' ? [ip] : ip))
	socket.on('message', receive)
	socket.bind(0, '127.0.0.1')
	await once(socket, 'listening')
	const { address, port } = socket.address()
	return {
		address,
		port,
		set,
		remove: (name) => void records.delete(keyOf(name)),
		queries: () => [...asked],
		close,
		[Symbol.asyncDispose]: close,
	}
}

function isAskedFor(type: number, ip: string): boolean {
	return type === dnsTypes.any || type === (isIPv6(ip) ? dnsTypes.aaaa : dnsTypes.a)
}

function keyOf(name: string): string {
	return name.toLowerCase().replace(/\.$/, '')
}
