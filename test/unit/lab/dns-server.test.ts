import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { readQuery } from '#lab/dns-message.ts'
import { type DnsServer, startDnsServer } from '#lab/dns-server.ts'
import { count, seed } from '../../depth.ts'

function resolverOf(server: DnsServer): Resolver {
	const resolver = new Resolver({ timeout: 2000, tries: 1 })
	resolver.setServers([`${server.address}:${server.port}`])
	return resolver
}

test('answers A queries, whatever the case of the name', async () => {
	await using server = await startDnsServer({ records: { 'serviceB.apps.local': '127.0.2.2' } })
	const resolver = resolverOf(server)
	expect(await resolver.resolve4('serviceb.apps.local')).toEqual(['127.0.2.2'])
	expect(await resolver.resolve4('SERVICEB.apps.local.', { ttl: true })).toEqual([{ address: '127.0.2.2', ttl: 1 }])
	expect(server.queries()).toEqual(['serviceb.apps.local 1', 'serviceb.apps.local 1'])
})

test('a known name has no other records, an unknown one does not exist', async () => {
	await using server = await startDnsServer({ records: { 'web.apps.local': ['127.0.2.2', '127.0.2.3'] } })
	const resolver = resolverOf(server)
	expect((await resolver.resolve4('web.apps.local')).sort()).toEqual(['127.0.2.2', '127.0.2.3'])
	await expect(resolver.resolve6('web.apps.local')).rejects.toMatchObject({ code: 'ENODATA' })
	await expect(resolver.resolve4('gone.apps.local')).rejects.toMatchObject({ code: 'ENOTFOUND' })
})

test('records change while it runs', async () => {
	await using server = await startDnsServer({ records: { 'web.apps.local': '127.0.2.2' }, ttlSeconds: 0 })
	server.set('WEB.apps.local.', '127.0.2.9')
	expect(await resolverOf(server).resolve4('web.apps.local')).toEqual(['127.0.2.9'])
	server.remove('Web.Apps.Local')
	await expect(resolverOf(server).resolve4('web.apps.local')).rejects.toMatchObject({ code: 'ENOTFOUND' })
})

test('keeps the newest questions only', async () => {
	await using server = await startDnsServer({ records: {} })
	const resolver = resolverOf(server)
	for (let asked = 0; asked < limits.dnsQueriesKept + 3; asked += 1) {
		await expect(resolver.resolve4(`n${asked}.local`)).rejects.toMatchObject({ code: 'ENOTFOUND' })
	}
	expect(server.queries()).toHaveLength(limits.dnsQueriesKept)
	expect(server.queries()[0]).toBe('n3.local 1')
})

describe('bytes that are no question', () => {
	const header = (flags: number, questions: number) =>
		Buffer.from([0, 7, flags >> 8, flags & 255, 0, questions, 0, 0, 0, 0, 0, 0])
	const name = Buffer.from([1, 97, 0])
	test.for<[string, Buffer, { kind: string; code?: number }]>([
		['nothing', Buffer.alloc(0), { kind: 'ignored' }],
		['half a header', Buffer.alloc(11), { kind: 'ignored' }],
		['an answer', header(0x8180, 1), { kind: 'ignored' }],
		[
			'a zone transfer of status',
			Buffer.concat([header(0x1000, 1), name, Buffer.from([0, 1, 0, 1])]),
			{ kind: 'refused', code: 4 },
		],
		['no question', header(0x0100, 0), { kind: 'refused', code: 1 }],
		['two questions', header(0x0100, 2), { kind: 'refused', code: 1 }],
		[
			'a name that runs past the end',
			Buffer.concat([header(0, 1), Buffer.from([60, 97, 97])]),
			{ kind: 'refused', code: 1 },
		],
		[
			'a pointer to itself',
			Buffer.concat([header(0, 1), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
			{ kind: 'refused', code: 1 },
		],
		['a name without type', Buffer.concat([header(0, 1), name]), { kind: 'refused', code: 1 }],
		[
			'a class that is not the Internet',
			Buffer.concat([header(0, 1), name, Buffer.from([0, 1, 0, 3])]),
			{ kind: 'refused', code: 5 },
		],
		[
			'an endless name',
			Buffer.concat([header(0, 1), Buffer.alloc(400, 1), Buffer.alloc(5)]),
			{ kind: 'refused', code: 1 },
		],
	])('%s', ([, message, expected]) => {
		const query = readQuery(message)
		expect(query.kind).toBe(expected.kind)
		if (query.kind === 'refused') {
			expect(query.reply.readUInt16BE(0)).toBe(7)
			expect(query.reply.readUInt16BE(2) & 0x800f).toBe(0x8000 | (expected.code ?? 0))
		}
	})

	test('any bytes at all are read without an exception', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
				['question', 'refused', 'ignored'].includes(readQuery(Buffer.from(bytes)).kind),
			),
			{ numRuns: count(100, 5_000), seed: seed() },
		)
	})

	test('the server goes on answering after garbage', async () => {
		await using server = await startDnsServer({ records: { 'web.local': '127.0.2.2' } })
		const socket = createSocket('udp4')
		for (const bytes of ['', 'x', 'garbage that is longer than a header', '\0'.repeat(12)]) {
			socket.send(bytes, server.port, server.address)
		}
		const [reply] = await once(socket, 'message')
		expect(reply.length).toBe(12)
		socket.close()
		expect(await resolverOf(server).resolve4('web.local')).toEqual(['127.0.2.2'])
	})
})
