import { fail, type Result, succeed } from '#base/result.ts'

export type HostPort = { readonly address: string; readonly port: number }

/** Reads `host:port`; an IPv6 address stands in brackets. */
export function parseHostPort(text: string): Result<HostPort, string> {
	const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text) ?? []
	const address = bracketed ?? plain
	const port = Number(digits)
	if (address === undefined || port > 65_535)
		return fail(`${JSON.stringify(text)} is no HOST:PORT, as in 127.0.0.1:18000`)
	return succeed({ address, port })
}
