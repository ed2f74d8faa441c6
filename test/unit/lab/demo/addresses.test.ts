import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { findAddresses } from '#lab/demo/addresses.ts'
import { listen } from '#lab/ports.ts'

test('each proxy and app has a loopback address of its own, and one that is taken is passed over', async () => {
	const first = await findAddresses()
	if (!first.ok) throw new Error(first.error)
	const { proxies, apps, egressPort } = first.value
	const all = [...Object.values(proxies), ...Object.values(apps)]
	expect(new Set(all).size).toBe(6)
	expect(all.every((address) => address.startsWith('127.0.'))).toBe(true)

	const server = await listen(proxies.serviceB, egressPort, createServer())
	try {
		const second = await findAddresses()
		if (!second.ok) throw new Error(second.error)
		expect(Object.values(second.value.proxies)).not.toContain(proxies.serviceB)
	} finally {
		server.close()
	}
})
