import { describe, expect, test } from 'vitest'
import type { InterceptOptions } from '../../../../src/cli/intercept/intercept-options.ts'
import {
	type InterceptSources,
	type InterceptTexts,
	readInterceptOptions,
} from '../../../../src/cli/intercept/read-intercept-options.ts'

function read(flags: InterceptTexts, more: Partial<InterceptSources> = {}): InterceptOptions | string {
	const outcome = readInterceptOptions({ tool: 'iptables', flags, environment: {}, listenerPorts: null, ...more })
	return outcome.ok ? outcome.value : outcome.error
}

const appMesh: InterceptOptions = {
	tool: 'iptables',
	ignored: { uid: 1337, gid: null },
	appPorts: [8080],
	ingressPort: 15_000,
	egressPort: 15_001,
	ignoredAddresses: [
		{ family: 'ipv4', text: '169.254.169.254' },
		{ family: 'ipv4', text: '169.254.170.2' },
	],
	ignoredPorts: [22],
	ipv6: 'untouched',
}

test("what is not said is App Mesh's", () => {
	expect(read({ appPorts: '8080' })).toEqual(appMesh)
})

test("App Mesh's variables say it as well, and a flag comes before", () => {
	const environment = {
		APPMESH_IGNORE_UID: '2000',
		APPMESH_APP_PORTS: '9080, 8080,9080',
		APPMESH_ENVOY_INGRESS_PORT: '16000',
		APPMESH_ENVOY_EGRESS_PORT: '16001',
		APPMESH_EGRESS_IGNORED_IP: '10.0.0.1,10.1.0.0/16,fd00::/8',
		APPMESH_EGRESS_IGNORED_PORTS: '587,25',
		APPMESH_ENABLE_IPV6: '1',
	}
	const expected: InterceptOptions = {
		tool: 'nftables',
		ignored: { uid: 2000, gid: null },
		appPorts: [8080, 9080],
		ingressPort: 16_000,
		egressPort: 16_001,
		ignoredAddresses: [
			{ family: 'ipv4', text: '10.0.0.1' },
			{ family: 'ipv4', text: '10.1.0.0/16' },
			{ family: 'ipv6', text: 'fd00::/8' },
		],
		ignoredPorts: [22, 25, 587],
		ipv6: 'captured',
	}
	expect(read({}, { tool: 'nftables', environment })).toEqual(expected)
	expect(read({ appPorts: '80', ignoreUid: '0' }, { tool: 'nftables', environment })).toEqual({
		...expected,
		appPorts: [80],
		ignored: { uid: 0, gid: null },
	})
})

test('an empty variable says nothing', () => {
	expect(read({ appPorts: '8080' }, { environment: { APPMESH_IGNORE_UID: '', APPMESH_ENABLE_IPV6: '' } })).toEqual(
		appMesh,
	)
})

test('a group instead of the user, or both', () => {
	expect(read({ appPorts: '1', ignoreGid: '5' })).toMatchObject({ ignored: { uid: null, gid: 5 } })
	expect(read({ appPorts: '1', ignoreGid: '5', ignoreUid: '6' })).toMatchObject({ ignored: { uid: 6, gid: 5 } })
})

describe('the application', () => {
	test("listens where the node's listeners are, unless it is said", () => {
		expect(read({}, { listenerPorts: [80, 443] })).toMatchObject({ appPorts: [80, 443] })
		expect(read({}, { listenerPorts: [] })).toMatchObject({ appPorts: [] })
		expect(read({ appPorts: '8080' }, { listenerPorts: [80] })).toMatchObject({ appPorts: [8080] })
		expect(read({ appPorts: 'none' }, { listenerPorts: [80] })).toMatchObject({ appPorts: [] })
	})

	test('is not guessed', () => {
		expect(read({})).toBe(
			'say where the application listens: --app-ports 8080,8081 (or none), or --mesh FOLDER with --node ID',
		)
	})

	test("cannot have Envoy's ports", () => {
		expect(read({ appPorts: '80,15000' })).toBe('the application cannot listen on 15000: Envoy does')
		expect(read({ appPorts: '80', egressPort: '15000' })).toBe('Envoy cannot take both directions on port 15000')
	})
})

test.for([
	[{ appPorts: '' }, 'flag --app-ports is "": write ports'],
	[{ appPorts: '80,' }, 'flag --app-ports'],
	[{ appPorts: '80;reboot' }, 'flag --app-ports'],
	[{ appPorts: '0' }, 'flag --app-ports'],
	[{ appPorts: '65536' }, 'flag --app-ports'],
	[{ appPorts: '0x50' }, 'flag --app-ports'],
	[{ ignoreUid: 'envoy' }, 'flag --ignore-uid is "envoy": write the number of a user'],
	[{ ignoreUid: '-1' }, 'flag --ignore-uid'],
	[{ ignoreUid: '4294967295' }, 'flag --ignore-uid'],
	[{ ignoreUid: '1337\nreboot' }, 'flag --ignore-uid'],
	[{ ignoreGid: '1 2' }, 'flag --ignore-gid'],
	[{ ignoreIps: '169.254.169' }, 'flag --ignore-ips'],
	[{ ignoreIps: 'localhost' }, 'flag --ignore-ips'],
	[{ ignoreIps: '10.0.0.0/33' }, 'flag --ignore-ips'],
	[{ ignoreIps: 'fd00::/129' }, 'flag --ignore-ips'],
	[{ ignoreIps: 'fe80::1%eth0' }, 'flag --ignore-ips'],
	[{ ignoreIps: '10.0.0.1\nRULES\nreboot' }, 'flag --ignore-ips'],
	[{ ignorePorts: '22-25' }, 'flag --ignore-ports'],
	[{ ingressPort: '70000' }, 'flag --ingress-port'],
	[{ ipv6: 'maybe' }, 'flag --ipv6'],
] as const)('%j is refused', ([flags, words]) => {
	expect(read({ appPorts: '80', ...flags })).toContain(words)
})

test('everything wrong is said at once, with the variable it stands in', () => {
	const environment = { APPMESH_APP_PORTS: 'all', APPMESH_ENABLE_IPV6: 'yes' }
	expect(read({ ignoreUid: 'x' }, { environment })).toBe(
		[
			'flag --ignore-uid is "x": write the number of a user',
			'variable APPMESH_APP_PORTS is "all": write ports, as 8080,8081, or none',
			'variable APPMESH_ENABLE_IPV6 is "yes": write 1 or 0',
		].join('; '),
	)
})
