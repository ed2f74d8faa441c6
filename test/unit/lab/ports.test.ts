import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { canBind, freePorts, listen, portOf } from '#lab/ports.ts'

test('free ports are free and all different', async () => {
	const ports = await freePorts('127.0.0.1', 5)
	expect(new Set(ports).size).toBe(5)
	for (const port of ports) expect(await canBind('127.0.0.1', port)).toEqual({ ok: true, value: undefined })
})

test('a port in use is named with the way out', async () => {
	const server = await listen('127.0.0.3', 0, createServer())
	const port = portOf(server)
	expect(await canBind('127.0.0.3', port)).toEqual({
		ok: false,
		error: { kind: 'inUse', message: `127.0.0.3:${port} is in use: stop what listens there, or choose another port` },
	})
	expect(await canBind('127.0.0.4', port)).toMatchObject({ ok: true })
	server.close()
})

test('an address of another machine', async () => {
	expect(await canBind('192.0.2.1', 8000)).toMatchObject({ ok: false, error: { kind: 'noSuchAddress' } })
})
