import { expect, test } from 'vitest'
import { parseHostPort } from '#cli/parse-address.ts'

test.for([
	['127.0.0.1:18000', '127.0.0.1', 18_000],
	['localhost:0', 'localhost', 0],
	['[::1]:8300', '::1', 8300],
] as const)('%s', ([text, address, port]) => {
	expect(parseHostPort(text)).toEqual({ ok: true, value: { address, port } })
})

test.for(['', 'host', ':80', 'host:', 'host:port', '::1:80', 'host:65536', 'http://host:80', 'a b:80'])(
	'%j is none',
	(text) => {
		expect(parseHostPort(text).ok).toBe(false)
	},
)
