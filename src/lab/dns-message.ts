// The part of the DNS wire format (RFC 1035 §4) that answering address queries needs. Questions only: whatever else a
// message carries (EDNS options, say) is left unread, which RFC 6891 §7 allows.

export type DnsQuestion = {
	readonly id: number
	/** The client's "recursion desired" bit, which an answer repeats. */
	readonly recursionDesired: number
	/** Lower case, without the trailing dot: names differ in nothing but case (RFC 4343). */
	readonly name: string
	readonly type: number
	/** As it came, letter case included: some resolvers check that the answer repeats it. */
	readonly bytes: Buffer
}

export type DnsQuery =
	| { readonly kind: 'question'; readonly question: DnsQuestion }
	/** Understood well enough to say no: `reply` is to be sent. */
	| { readonly kind: 'refused'; readonly reply: Buffer }
	/** Too short to answer, or an answer itself: anything sent back could start a loop. */
	| { readonly kind: 'ignored' }

export type DnsAnswer =
	| { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly ttlSeconds: number }
	| { readonly kind: 'noSuchName' }

export const dnsTypes = { a: 1, aaaa: 28, any: 255 } as const

const headerBytes = 12
const codes = { formatError: 1, noSuchName: 3, notImplemented: 4, refused: 5 } as const
const classInternet = 1
const classAny = 255
const longestName = 255

/** Reads a datagram. Any bytes at all give one of the three kinds; it never throws. */
export function readQuery(message: Buffer): DnsQuery {
	if (message.length < headerBytes) return { kind: 'ignored' }
	const flags = message.readUInt16BE(2)
	if (flags & 0x8000) return { kind: 'ignored' }
	if ((flags >> 11) & 0xf) return refuse(message, codes.notImplemented)
	if (message.readUInt16BE(4) !== 1) return refuse(message, codes.formatError)
	const name = readName(message)
	if (name === null || name.end + 4 > message.length) return refuse(message, codes.formatError)
	const wanted = message.readUInt16BE(name.end + 2)
	if (wanted !== classInternet && wanted !== classAny) return refuse(message, codes.refused)
	return {
		kind: 'question',
		question: {
			id: message.readUInt16BE(0),
			recursionDesired: flags & 0x0100,
			name: name.text,
			type: message.readUInt16BE(name.end),
			bytes: message.subarray(headerBytes, name.end + 4),
		},
	}
}

/** An authoritative answer to one question, as a datagram. */
export function writeAnswer(question: DnsQuestion, answer: DnsAnswer): Buffer {
	const records = answer.kind === 'addresses' ? answer.addresses.map((ip) => addressRecord(ip, answer.ttlSeconds)) : []
	const code = answer.kind === 'addresses' ? 0 : codes.noSuchName
	const header = Buffer.alloc(headerBytes)
	header.writeUInt16BE(question.id, 0)
	// Response, authoritative, recursion available: some clients treat an answer without the last as a failure.
	header.writeUInt16BE(0x8480 | question.recursionDesired | code, 2)
	header.writeUInt16BE(1, 4)
	header.writeUInt16BE(records.length, 6)
	return Buffer.concat([header, question.bytes, ...records])
}

function addressRecord(ip: string, ttlSeconds: number): Buffer {
	const bytes = addressBytes(ip)
	const record = Buffer.alloc(12 + bytes.length)
	// The name: a pointer back to the question (RFC 1035 §4.1.4).
	record.writeUInt16BE(0xc000 | headerBytes, 0)
	record.writeUInt16BE(bytes.length === 4 ? dnsTypes.a : dnsTypes.aaaa, 2)
	record.writeUInt16BE(classInternet, 4)
	record.writeUInt32BE(ttlSeconds, 6)
	record.writeUInt16BE(bytes.length, 10)
	record.set(bytes, 12)
	return record
}

function addressBytes(ip: string): number[] {
	if (!ip.includes(':')) return ip.split('.').map(Number)
	// `::` stands for as many groups of zeros as are missing to eight (RFC 4291 §2.2).
	const [head = '', tail = ''] = ip.split('::')
	const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
	const [before, after] = [groups(head), groups(tail)]
	const missing = Array.from({ length: 8 - before.length - after.length }, () => 0)
	return [...before, ...missing, ...after].flatMap((group) => [group >> 8, group & 0xff])
}

/** The labels of the question's name. A pointer or a length past the end is null: a question has nothing to point to. */
function readName(message: Buffer): { text: string; end: number } | null {
	const labels: string[] = []
	let at = headerBytes
	for (;;) {
		const length = message[at]
		if (length === undefined || length > 63 || at - headerBytes >= longestName) return null
		if (length === 0) return { text: labels.join('.').toLowerCase(), end: at + 1 }
		if (at + 1 + length > message.length) return null
		labels.push(message.toString('latin1', at + 1, at + 1 + length))
		at += 1 + length
	}
}

function refuse(message: Buffer, code: number): DnsQuery {
	const reply = Buffer.alloc(headerBytes)
	reply.writeUInt16BE(message.readUInt16BE(0), 0)
	reply.writeUInt16BE(0x8000 | (message.readUInt16BE(2) & 0x7900) | code, 2)
	return { kind: 'refused', reply }
}
