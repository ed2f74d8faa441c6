import { expect, test } from 'vitest'
import { codesOf, readOk } from '../small-mesh.ts'

const gateway = (spec: string) => ({
	'm.yaml': `apiVersion: sluice/v1
kind: Mesh
metadata: {name: apps}
---
apiVersion: sluice/v1
kind: VirtualGateway
metadata: {mesh: apps, name: g}
spec: ${spec}
`,
})
const port = (number: number, more = '') => `{portMapping: {port: ${number}, protocol: http2}${more}}`
const policy = (tls: string) => `backendDefaults: {clientPolicy: {tls: ${tls}}}`
const check = 'healthyThreshold: 2, unhealthyThreshold: 2, intervalMillis: 5000, timeoutMillis: 2000'

test('listeners come out sorted, and the policy is that of the defaults', () => {
	const { mesh } = readOk(
		gateway(`{listeners: [${port(81)}, ${port(80)}], ${policy('{validation: {trust: {sds: {secretName: ca}}}}')}}`),
	)
	expect(Object.values(mesh.resources).find(({ kind }) => kind === 'VirtualGateway')).toMatchObject({
		id: 'mesh/apps/virtualGateway/g',
		mesh: 'apps',
		spec: {
			listeners: [
				{ port: 80, protocol: 'http2', healthCheck: null, connectionPool: null, tls: null },
				{ port: 81, protocol: 'http2', healthCheck: null, connectionPool: null, tls: null },
			],
			clientTls: { enforce: true, ports: [], certificate: null },
			accessLog: null,
			tracing: null,
			stats: null,
		},
	})
})

test.for<[string, string[]]>([
	['{listeners: []}', []],
	['{}', ['SL0205']],
	[`{listeners: [${port(80)}, ${port(80)}]}`, ['SL0213']],
	[`{listeners: [${port(15001)}]}`, ['SL0224']],
	['{listeners: [{portMapping: {port: 80, protocol: tcp}}]}', ['SL0207']],
	[`{listeners: [${port(80, ', timeout: {http2: {}}')}]}`, ['SL0204']],
	[`{listeners: [${port(80, ', connectionPool: {http: {maxConnections: 1}}')}]}`, ['SL0219']],
	[`{listeners: [${port(80, `, healthCheck: {protocol: http, ${check}}`)}]}`, ['SL0228']],
	[`{listeners: [${port(80, `, healthCheck: {protocol: tcp, ${check}}`)}]}`, ['SL0207']],
	[`{listeners: [${port(80, `, healthCheck: {protocol: http, port: 81, ${check}}`)}]}`, ['SL0228', 'SL0221']],
	[`{listeners: [], ${policy('{}')}}`, ['SL0205']],
	[
		`{listeners: [], ${policy("{validation: {trust: {sds: {secretName: a}}, subjectAlternativeNames: {match: {exact: ['*']}}}}")}}`,
		['SL0223'],
	],
	['{listeners: [], logging: {accessLog: {file: {path: /log, format: {text: "%NOPE%\\n"}}}}}', ['SL0222']],
])('%s finds %j', ([spec, codes]) => {
	expect(codesOf(gateway(spec))).toEqual(codes)
})
