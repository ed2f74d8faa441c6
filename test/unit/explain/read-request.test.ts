import { describe, expect, test } from 'vitest'
import { readRequest } from '#explain/read-request.ts'

const read = (url: string, headers: { name: string; value: string }[] = [], method = 'GET') => {
	const request = readRequest(method, url, headers)
	if (!request.ok) throw new Error(request.error)
	return request.value
}

test.for([
	['http://a.local', { authority: 'a.local', port: 80, portIs: 'of the scheme', path: '/', scheme: 'http' }],
	['https://a.local', { authority: 'a.local', port: 443, scheme: 'https' }],
	['http://a.local:80/x', { authority: 'a.local', port: 80, portIs: 'written', path: '/x' }],
	['http://A.local:8080/x?y=1#z', { authority: 'A.local:8080', host: 'a.local', port: 8080, path: '/x?y=1' }],
	['HTTP://a.local?x', { authority: 'a.local', path: '/?x' }],
	['http://a//b/../c%41', { path: '//b/../c%41' }],
	['http://[::1]:81/', { authority: '[::1]:81', host: '[::1]', port: 81 }],
] as const)('%s', ([url, expected]) => {
	expect(read(url)).toMatchObject(expected)
})

test('a header Host is what the request is for; the URL says where it is sent', () => {
	const request = read('http://10.0.0.1:8088/', [{ name: 'Host', value: 'shop.example' }])
	expect(request).toMatchObject({ authority: 'shop.example', host: '10.0.0.1', port: 8088, headers: [] })
})

test('names of headers are in lower case, their values without space around them', () => {
	const headers = [
		{ name: 'X-One', value: ' a b\t' },
		{ name: 'x-one', value: '' },
	]
	expect(read('http://a/', headers).headers).toEqual([
		{ name: 'x-one', value: 'a b' },
		{ name: 'x-one', value: '' },
	])
})

describe('what no client can send', () => {
	test.for([
		['a.local/x', 'no absolute URL'],
		['tcp://a.local', 'no absolute URL'],
		['http:///x', 'is no host'],
		['http://a.local:99999/', 'is no host'],
		['http://a.local:0/', 'is no host'],
		['http://me@a.local/', 'is no host'],
		['http://a.local/a b', 'percent-encoded'],
		['http://a.local/é', 'percent-encoded'],
	] as const)('%s', ([url, words]) => {
		expect(readRequest('GET', url, [])).toEqual({ ok: false, error: expect.stringContaining(words) })
	})

	test.for([
		['G T', 'x', 'v', 'no method'],
		['GET', 'a b', 'v', 'no header'],
		['GET', ':path', '/x', 'no header'],
		['GET', 'x', 'a\r\nb: c', 'line break'],
	] as const)('%j', ([method, name, value, words]) => {
		expect(readRequest(method, 'http://a/', [{ name, value }])).toEqual({
			ok: false,
			error: expect.stringContaining(words),
		})
	})
})
