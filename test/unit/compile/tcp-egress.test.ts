import { describe, expect, test } from 'vitest'
import { callerOf } from '#compile/caller-of.ts'
import type { Capture } from '#compile/compiled.ts'
import { tcpEgresses } from '#compile/tcp-egress.ts'
import { explicitCapture, fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../../fixtures/mesh-fixture.ts'

const tcp = (port: number) => ({ port, protocol: 'tcp' as const })

const services: readonly BriefResource[] = [
	{ kind: 'VirtualNode', name: 'db', listeners: [tcp(5432)] },
	{ kind: 'VirtualNode', name: 'pair', listeners: [tcp(6000), tcp(6001)] },
	{ kind: 'VirtualNode', name: 'page', listeners: [{ port: 5432, protocol: 'http' }] },
	{ kind: 'VirtualService', name: 'a-db', node: 'db' },
	{ kind: 'VirtualService', name: 'b-db', router: 'db' },
	{ kind: 'VirtualService', name: 'pair', node: 'pair' },
	{ kind: 'VirtualService', name: 'page', node: 'page' },
	{ kind: 'VirtualRouter', name: 'db', listeners: [tcp(5432), tcp(5433)] },
]
type Backends = Extract<BriefResource, { kind: 'VirtualNode' }>['backends']

/** Port → virtual service. */
function egresses(backends: Backends, capture: Capture, name = 'web'): Record<number, string> {
	const web: BriefResource = { kind: 'VirtualNode', name: 'web', listeners: [tcp(9000)], backends: backends ?? [] }
	const edge: BriefResource[] = [
		{ kind: 'VirtualGateway', name: 'edge' },
		{ kind: 'GatewayRoute', name: 'r', gateway: 'edge', service: 'a-db' },
	]
	const { resources } = fixtureEffective([...services, web, ...edge])
	const kind = name === 'web' ? 'virtualNode' : 'virtualGateway'
	const caller = callerOf(resources, fixtureGroup(name, capture, kind).identity)
	if (caller === null) throw new Error(`${name} is not there`)
	return Object.fromEntries(tcpEgresses(resources, caller, capture).map(({ port, service }) => [port, service.name]))
}

const at = (service: string, egressPort: number) => ({ service, egressPort })

describe('intercepted, by the port that is dialled', () => {
	const intercept = { mode: 'intercept' } as const

	test('each port of each backend', () => {
		expect(egresses(['pair', 'a-db'], intercept)).toEqual({ 5432: 'a-db', 6000: 'pair', 6001: 'pair' })
	})

	test('the first backend has the port', () => {
		expect(egresses(['a-db', 'b-db'], intercept)).toEqual({ 5432: 'a-db', 5433: 'b-db' })
	})

	test('HTTP has it before any', () => {
		expect(egresses(['a-db', 'page'], intercept)).toEqual({})
	})

	test('an egressPort says nothing', () => {
		expect(egresses([at('a-db', 1)], intercept)).toEqual({ 5432: 'a-db' })
	})
})

describe("explicit, by the backend's egressPort", () => {
	test('none where none is written', () => {
		expect(egresses(['a-db', at('pair', 1)], explicitCapture)).toEqual({ 1: 'pair' })
	})

	test('none for HTTP', () => {
		expect(egresses([at('page', 1)], explicitCapture)).toEqual({})
	})

	test('the first backend has the port', () => {
		expect(egresses([at('a-db', 1), at('b-db', 1)], explicitCapture)).toEqual({ 1: 'a-db' })
	})

	test.for([9000, 15_001, 15_002])('none on %i, which another listener has, in place or in name', (port) => {
		expect(egresses([at('a-db', port)], { ...explicitCapture, egressPort: 15_002 })).toEqual({})
	})

	test('of a router without routes too: what dials it is closed', () => {
		expect(egresses([at('b-db', 1)], explicitCapture)).toEqual({ 1: 'b-db' })
	})
})

test('a gateway speaks no TCP', () => {
	expect(egresses([], { mode: 'intercept' }, 'edge')).toEqual({})
})
