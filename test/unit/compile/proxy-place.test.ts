import { expect, test } from 'vitest'
import type { Capture } from '#compile/compiled.ts'
import { bindAddress, egressAddress, gatewayPoint } from '#compile/proxy-place.ts'
import type { VirtualGateway, VirtualNode } from '#mesh/mesh.ts'
import { resourceId } from '#mesh/mesh.ts'
import { fixtureEffective } from '../../fixtures/mesh-fixture.ts'

const { resources } = fixtureEffective([{ kind: 'Mesh' }, { kind: 'VirtualNode', name: 'serviceA' }])
const node = resources[resourceId.virtualNode('apps', 'serviceA')] as VirtualNode

function explicit(bind: string, app: string): Capture {
	return { mode: 'explicit', bind, egressPort: 15_001, app: { address: app, port: null } }
}

/** Whoever reaches the way out calls as the node: it is open no further than its application needs. */
test.for([
	['0.0.0.0', '127.0.0.1', '127.0.0.1'],
	['10.0.0.21', '127.0.0.1', '127.0.0.1'],
	['10.0.0.21', '127.0.0.31', '127.0.0.1'],
	['::', '::1', '::1'],
	// Several proxies of one machine, each on a loopback address of its own.
	['127.0.0.11', '127.0.0.21', '127.0.0.11'],
	// An application elsewhere has to reach it.
	['10.0.0.21', '10.0.0.22', '10.0.0.21'],
])('bound to %s, with the application at %s, the way out is at %s', ([bind = '', app = '', egress]) => {
	const capture = explicit(bind, app)
	expect(egressAddress(resources, node, capture)).toEqual({ ip: egress, ipv4Compat: false })
	expect(bindAddress(resources, node, capture)).toEqual({ ip: bind, ipv4Compat: false })
})

test('intercepted, both ways are where the system redirects to', () => {
	const capture: Capture = { mode: 'intercept' }
	expect(egressAddress(resources, node, capture)).toEqual(bindAddress(resources, node, capture))
})

test('a port of an intercepting gateway can move to both families while it is open', () => {
	const gateway = { kind: 'VirtualGateway', mesh: 'apps', name: 'edge' } as VirtualGateway
	const capture: Capture = { mode: 'intercept' }
	const preferring = fixtureEffective([{ kind: 'Mesh', spec: { ipPreference: 'IPv4_PREFERRED' } }]).resources
	const before = gatewayPoint(bindAddress(resources, gateway, capture), capture, 8080)
	const after = gatewayPoint(bindAddress(preferring, gateway, capture), capture, 8080)
	expect(before).toMatchObject({ address: { ip: '0.0.0.0' }, socket: 'shared' })
	expect(after).toMatchObject({ address: { ip: '::' }, socket: 'shared' })
	const dialled = gatewayPoint({ ip: '10.0.0.7', ipv4Compat: false }, explicit('10.0.0.7', '127.0.0.1'), 8080)
	expect(dialled).toMatchObject({ socket: 'alone' })
})
