import { fail, type Result, succeed } from '#base/result.ts'
import type { AskedRequest, Header } from './explained.ts'

const urlParts = /^(https?):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i
const authorityParts = /^(\[[0-9a-f:.]+\]|[^:@[\]]+)(?::(\d{1,5}))?$/i
const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
const defaultPorts = { http: 80, https: 443 } as const

/**
 * Method, URL and headers as a client sends them, without making anything plain: that is for the proxy. As with curl, a
 * header `host` replaces the URL's. Fails with what is wrong, in words for who wrote it.
 */
export function readRequest(method: string, url: string, written: readonly Header[]): Result<AskedRequest, string> {
	if (!token.test(method)) return fail(`"${method}" is no method; expected: GET, POST, …`)
	const [, schemeText = '', authorityText = '', pathText = '', query = ''] = urlParts.exec(url) ?? []
	const scheme = schemeText.toLowerCase()
	if (scheme !== 'http' && scheme !== 'https') {
		return fail(`"${url}" is no absolute URL; expected: http://HOST[:PORT]/PATH, or https:`)
	}
	const [, host = '', portText] = authorityParts.exec(authorityText) ?? []
	const port = portText === undefined ? defaultPorts[scheme] : Number(portText)
	if (host === '' || port < 1 || port > 65_535) {
		return fail(`"${authorityText}" in the URL is no host; expected: HOST or HOST:PORT`)
	}
	const path = `${pathText === '' ? '/' : pathText}${query}`
	if (!/^[\x21-\x7e]+$/.test(host + path)) {
		return fail('a URL is ASCII without spaces: write other characters percent-encoded, as a client sends them')
	}
	const headers = readHeaders(written)
	if (!headers.ok) return headers
	const authority = headers.value.find(({ name }) => name === 'host')?.value
	return succeed({
		method,
		url,
		scheme,
		authority: authority ?? (port === defaultPorts[scheme] ? host : `${host}:${port}`),
		host: host.toLowerCase(),
		port,
		portIs: portText === undefined ? 'of the scheme' : 'written',
		path,
		headers: headers.value.filter(({ name }) => name !== 'host'),
	})
}

function readHeaders(written: readonly Header[]): Result<readonly Header[], string> {
	const headers: Header[] = []
	for (const { name, value } of written) {
		if (!token.test(name)) return fail(`"${name}" is no header's name`)
		if (/[\0\r\n]/.test(value)) return fail(`the header ${name} has a line break or NUL in its value`)
		headers.push({ name: name.toLowerCase(), value: value.replace(/^[ \t]+|[ \t]+$/g, '') })
	}
	return succeed(headers)
}
