import { expect, test } from 'vitest'
import { resourceId } from '../../../../src/mesh/mesh.ts'
import { codesOf, readOk, smallMesh } from '../small-mesh.ts'

const route = resourceId.route('apps', 'b', 'b')

function specOf(text: string) {
	const resource = readOk({ 'm.yaml': text }).mesh.resources[route]
	return resource?.kind === 'Route' ? resource.spec : null
}

test('what is not written has the defaults of App Mesh', () => {
	expect(specOf(smallMesh)).toEqual({
		virtualRouter: resourceId.virtualRouter('apps', 'b'),
		priority: 1001,
		protocol: 'http2',
		match: {
			kind: 'http',
			path: { kind: 'prefix', prefix: '/' },
			method: null,
			scheme: null,
			headers: [],
			queryParameters: [],
			port: null,
		},
		targets: [{ virtualNode: resourceId.virtualNode('apps', 'b'), port: 80, weight: 100 }],
		retryPolicy: null,
		timeout: { perRequestMs: null, idleMs: null },
	})
})

test('an empty match takes every path', () => {
	expect(specOf(smallMesh.replace('{prefix: /}', '{}'))).toEqual(specOf(smallMesh))
})

test("httpRoute on an http2 router has the router's protocol, and so the same hash", () => {
	const written = smallMesh.replace('http2Route', 'httpRoute')
	expect(codesOf({ 'm.yaml': written })).toEqual(['SL0307'])
	expect(specOf(written)).toEqual(specOf(smallMesh))
})

const twoProtocols = smallMesh
	.replace('spec: {listeners: [', 'spec: {listeners: [{portMapping: {port: 81, protocol: http}}, ')
	.replace('http2Route', 'httpRoute')

test('a router that speaks both: the port that is matched decides, else what is written', () => {
	expect(specOf(twoProtocols)?.protocol).toBe('http')
	expect(codesOf({ 'm.yaml': twoProtocols })).toEqual([])
	const matched = twoProtocols.replace('{prefix: /}', '{prefix: /, port: 80}')
	expect(specOf(matched)?.protocol).toBe('http2')
	expect(codesOf({ 'm.yaml': matched })).toEqual(['SL0307'])
})

test.for<[string, string, string[]]>([
	['weight: 100', 'weight: 0', ['SL0211']],
	['weight: 100', 'weight: 101', ['SL0215']],
	['weight: 100', 'weight: 1000001', ['SL0208']],
	['weight: 100', 'weight: 100, port: 81', ['SL0303']],
	['{prefix: /}', '{prefix: /, port: 9}', ['SL0308']],
	['{prefix: /}', '{prefix: /, path: {exact: /a}}', ['SL0209']],
	['{prefix: /}', '{path: {regex: "(?=a)"}}', ['SL0210']],
	['{prefix: /}', `{path: {regex: ${'a'.repeat(256)}}}`, ['SL0208']],
	['{prefix: /}', '{headers: [{name: a, match: {range: {start: 2, end: 1}}}]}', ['SL0217']],
	['{prefix: /}', '{headers: []}', ['SL0208']],
	['{prefix: /}', '{scheme: https}', []],
	['{prefix: /}', '{prefix: "/a?b"}', ['SL0241']],
	['{prefix: /}', '{path: {exact: "/a#b"}}', ['SL0241']],
	['{prefix: /}', '{prefix: "/a//b"}', ['SL0241']],
	['{prefix: /}', '{path: {exact: "/a/../b"}}', ['SL0241']],
	['{prefix: /}', `{queryParameters: [{name: ${'a'.repeat(257)}}]}`, ['SL0208']],
	['http2Route', 'grpcRoute', ['SL0204']],
	['http2Route:\n    match: {prefix: /}', 'grpcRoute:\n    match: {}', ['SL0312']],
	['http2Route:\n    match: {prefix: /}', 'grpcRoute:\n    match: {methodName: a}', ['SL0312', 'SL0205']],
	['http2Route:\n    match: {prefix: /}', 'tcpRoute:', ['SL0313', 'SL0314']],
])('%s → %s finds %j', ([before, after, codes]) => {
	expect(codesOf({ 'm.yaml': smallMesh.replace(before, after) })).toEqual(codes)
})

test('a route without a port belongs to the listeners of its own protocol', () => {
	const both = smallMesh
		.replace('spec: {listeners: [', 'spec: {listeners: [{portMapping: {port: 3306, protocol: tcp}}, ')
		.replace('spec:\n  listeners: [', 'spec:\n  listeners: [{portMapping: {port: 3306, protocol: tcp}}, ')
		.replace('weight: 100', 'weight: 100, port: 80')
	expect(codesOf({ 'm.yaml': both })).toEqual([])
	const tcp = both.replace('http2Route:\n    match: {prefix: /}', 'tcpRoute:').replace('port: 80}]', 'port: 3306}]')
	expect(codesOf({ 'm.yaml': tcp })).toEqual([])
	expect(specOf(tcp)).toMatchObject({ protocol: 'tcp', match: { kind: 'tcp', port: null }, retryPolicy: null })
})
