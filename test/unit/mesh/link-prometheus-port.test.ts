import { expect, test } from 'vitest'
import { codesOf } from './small-mesh.ts'

const stats = (port: number) => `stats: {prometheus: {port: ${port}}}`
const files = (ofMesh: string, node: string, gateway = 'listeners: []') => ({
	'm.yaml': `apiVersion: sluice/v1
kind: Mesh
metadata: {name: apps}
spec: {${ofMesh}}
---
apiVersion: sluice/v1
kind: VirtualNode
metadata: {mesh: apps, name: n}
spec: {listeners: [{portMapping: {port: 80, protocol: http}}], serviceDiscovery: {dns: {hostname: a.local}}, ${node}}
---
apiVersion: sluice/v1
kind: VirtualGateway
metadata: {mesh: apps, name: g}
spec: {${gateway}}
`,
})

test.for<[string, ReturnType<typeof files>, string[]]>([
	['nothing is on a free port', files(stats(9090), ''), []],
	['a node has a listener on its own port', files('', stats(80)), ['SL0224']],
	["a node has a listener on its mesh's port", files(stats(80), ''), ['SL0224']],
	['a node has its own stats instead', files(stats(80), 'stats: {}'), []],
	['Envoy itself has the port', files('', stats(15001)), ['SL0224']],
	[
		'a gateway has a listener on the port',
		files(stats(81), '', 'listeners: [{portMapping: {port: 81, protocol: http}}]'),
		['SL0224'],
	],
	[
		'a backend has the port',
		files('', `${stats(5432)}, backends: [{virtualService: {virtualServiceName: b.local, egressPort: 5432}}]`),
		['SL0224'],
	],
])('%s', ([, texts, codes]) => {
	expect(codesOf(texts).filter((code) => code === 'SL0224')).toEqual(codes)
})
