import { expect, test } from 'vitest'
import { codesOf, smallMesh } from '../small-mesh.ts'

const node = (spec: string) =>
	`${smallMesh}---\napiVersion: sluice/v1\nkind: VirtualNode\nmetadata: {mesh: apps, name: n}\nspec: ${spec}\n`
const listener = '{portMapping: {port: 80, protocol: http2}}'
const dns = (hostname: string) => `serviceDiscovery: {dns: {hostname: ${hostname}}}`

test.for<[string, string[]]>([
	['{}', []],
	[`{listeners: [${listener}], ${dns('a.local')}}`, []],
	[`{listeners: [${listener}]}`, ['SL0214']],
	[`{listeners: [${listener}, ${listener}], ${dns('a.local')}}`, ['SL0213']],
	[`{${dns('serviceB.apps.local.')}}`, []],
	[`{${dns('_a-b.c_d')}}`, []],
	[`{${dns('localhost')}}`, []],
	[`{${dns('10.0.0.1')}}`, ['SL0208']],
	[`{${dns('a..b')}}`, ['SL0208']],
	[`{${dns('-a.local')}}`, ['SL0208']],
	[`{${dns('"a b"')}}`, ['SL0208']],
	[`{${dns('a.local:80')}}`, ['SL0208']],
	[`{${dns(`${'a'.repeat(64)}.local`)}}`, ['SL0208']],
	['{backends: [{virtualService: {virtualServiceName: x.local}}]}', ['SL0306']],
	['{backends: [{virtualService: {virtualServiceName: b.local}}]}', []],
])('%s finds %j', ([spec, codes]) => {
	expect(codesOf({ 'm.yaml': node(spec) })).toEqual(codes)
})
