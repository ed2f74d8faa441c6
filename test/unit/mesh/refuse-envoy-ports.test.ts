import { expect, test } from 'vitest'
import { refuseEnvoyPorts } from '../../../src/mesh/refuse-envoy-ports.ts'

test.for<[number, number]>([
	[14_999, 0],
	[15_000, 1],
	[15_001, 1],
	[15_002, 0],
])('a listener on port %i has %i findings', ([port, count]) => {
	const findings = refuseEnvoyPorts([{ portMapping: { port: 80 } }, { portMapping: { port } }])
	expect(findings.map(({ path }) => path.join('.'))).toEqual(Array(count).fill('spec.listeners.1.portMapping.port'))
})
