import { expect, test } from 'vitest'
import { codesOf, readOk } from '../small-mesh.ts'

const mesh = (spec: string) => ({ 'm.yaml': `apiVersion: sluice/v1\nkind: Mesh\nmetadata: {name: apps}\n${spec}` })
const specOf = (spec: string) => Object.values(readOk(mesh(spec)).mesh.resources)[0]?.spec

test('a mesh of which nothing is written drops what is not declared', () => {
	const nothing = { egressFilter: 'DROP_ALL', ipPreference: null, accessLog: null, tracing: null, stats: null }
	expect(specOf('')).toEqual(nothing)
	expect(specOf('spec: {}')).toEqual(nothing)
})

test('settings of all its proxies are read', () => {
	const spec = specOf('spec: {logging: {accessLog: {file: {path: /log}}}, tracing: {xray: {}}, stats: {}}')
	expect(spec).toMatchObject({
		accessLog: { path: '/log', format: null },
		tracing: { provider: { kind: 'xray' } },
		stats: { statsd: null },
	})
})

test.for<[string, string[]]>([
	['{tracing: {}}', ['SL0209']],
	['{tracing: {xray: {}, datadog: {address: d}}}', ['SL0209']],
	['{tracing: {xray: {address: "::1"}}}', ['SL0208']],
	['{tracing: {datadog: {address: a b}}}', ['SL0208']],
	['{tracing: {xray: {samplingRuleManifest: /dev/null}}}', ['SL0208']],
	['{stats: {prometheus: {}}}', ['SL0205']],
	['{logging: {accessLog: {file: {path: "a\\tb"}}}}', ['SL0208']],
	['{logging: {accessLog: {file: {path: a, format: {}}}}}', ['SL0209']],
	['{logging: {accessLog: {file: {path: a, format: {json: []}}}}}', []],
	['{backends: []}', ['SL0204']],
])('%s finds %j', ([spec, codes]) => {
	expect(codesOf(mesh(`spec: ${spec}`))).toEqual(codes)
})
