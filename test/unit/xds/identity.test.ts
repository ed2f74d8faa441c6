import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { NodeSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import { readProxy } from '#xds/identity.ts'

type Init = MessageInitShape<typeof NodeSchema>
const read = (init: Init) => readProxy(create(NodeSchema, init), 7)
const withSluice = (sluice: Exclude<Exclude<Init['metadata'], undefined>['sluice'], undefined>) =>
	read({ id: 'mesh/apps/virtualNode/a', metadata: { sluice } })

describe('readProxy', () => {
	test('reads all that bootstrap writes', () => {
		const proxy = read({
			id: 'mesh/apps/virtualNode/serviceA',
			locality: { zone: 'eu-west-1a' },
			metadata: { sluice: { instance: 'host-1', bind: '127.0.0.11', egressPort: 15002, app: '127.0.0.12:8080' } },
			userAgentVersionType: {
				case: 'userAgentBuildVersion',
				value: { version: { majorNumber: 1, minorNumber: 36, patch: 2 } },
			},
		})
		expect(proxy).toEqual({
			ok: true,
			value: {
				key: 'mesh/apps/virtualNode/serviceA#host-1',
				instance: 'host-1',
				zone: 'eu-west-1a',
				group: {
					identity: { mesh: 'apps', kind: 'virtualNode', name: 'serviceA' },
					cohort: 'stable',
					capture: {
						mode: 'explicit',
						bind: '127.0.0.11',
						egressPort: 15002,
						app: { address: '127.0.0.12', port: 8080 },
					},
					secrets: 'daemon',
					envoyMinor: '1.36',
				},
				groupKey: 'mesh/apps/virtualNode/serviceA|stable|1.36|explicit|127.0.0.11|15002|127.0.0.12:8080',
			},
		})
	})

	test('knows what is not written, and goes by the connection without an instance', () => {
		const proxy = read({ id: 'mesh/apps/virtualGateway/edge' })
		expect(proxy).toMatchObject({
			ok: true,
			value: {
				key: 'mesh/apps/virtualGateway/edge#connection-7',
				instance: null,
				zone: '',
				group: {
					identity: { kind: 'virtualGateway' },
					capture: { mode: 'explicit', bind: '0.0.0.0', egressPort: 15001, app: { address: '127.0.0.1', port: null } },
					envoyMinor: '0.0',
				},
			},
		})
	})

	test.for([
		['mesh/apps/virtualNode/a', 'mesh/apps/virtualNode/a#connection-7'],
		['arn:aws:appmesh:eu-west-1:123456789012:mesh/apps/virtualNode/a', 'mesh/apps/virtualNode/a#connection-7'],
		[
			'arn:aws-cn:appmesh:cn-north-1:123456789012:mesh/m.x/virtualGateway/g_1',
			'mesh/m.x/virtualGateway/g_1#connection-7',
		],
		['mesh/apps@123456789012/virtualNode/a', 'mesh/apps/virtualNode/a#connection-7'],
	])('%s is %s', ([id, key]) => {
		expect(read({ id: id ?? '' })).toMatchObject({ ok: true, value: { key } })
	})

	test.for([
		'',
		'serviceA',
		'mesh/apps/virtualNode/',
		'mesh//virtualNode/a',
		'mesh/apps/virtualRouter/a',
		'mesh/apps/virtualNode/a/b',
		'mesh/apps@1234/virtualNode/a',
		'mesh/apps/virtualNode/a|b',
		'mesh/apps/virtualNode/a#b',
		'mesh/apps/virtualNode/a\n',
		' mesh/apps/virtualNode/a',
		'arn:aws:ecs:eu-west-1:123456789012:mesh/apps/virtualNode/a',
		`mesh/apps/virtualNode/${'a'.repeat(256)}`,
	])('%j is no identity', (id) => {
		expect(read({ id }).ok).toBe(false)
	})

	test.for([
		['127.0.0.1', '127.0.0.1', null],
		['10.0.0.1:1', '10.0.0.1', 1],
		['::1', '::1', null],
		['[::1]:8080', '::1', 8080],
	] as const)('the application is at %s', ([app, address, port]) => {
		expect(withSluice({ app })).toMatchObject({ ok: true, value: { group: { capture: { app: { address, port } } } } })
	})

	test('an address with a zone that is longer than any is none', () => {
		const [zoned, endless] = ['fe80::1%eth0', `fe80::1%${'x'.repeat(100)}`]
		expect([zoned, endless].map((bind) => withSluice({ bind }).ok)).toEqual([true, false])
		expect([zoned, endless].map((app) => withSluice({ app: `[${app}]:80` }).ok)).toEqual([true, false])
	})

	test('intercepts when it is told so', () => {
		expect(withSluice({ capture: 'intercept', bind: 'ignored' })).toMatchObject({
			ok: true,
			value: { group: { capture: { mode: 'intercept' } } },
		})
	})

	test("App Mesh's own image is intercepted, as it always was, unless it says otherwise", () => {
		const ofImage = {
			'aws.appmesh.task.interfaces': { ipv4: { eth0: ['10.0.0.141/24'], lo: ['127.0.0.1/8'] } },
			'aws.appmesh.platformInfo': { ecsPlatformInfo: { ecsLaunchType: 'FARGATE', AvailabilityZone: 'eu-west-1a' } },
			'aws.appmesh.static_runtime': { 're2.max_program_size.error_level': 1000 },
			'aws.appmesh.metric_filter': [1, null, 'x'],
		}
		const id = 'arn:aws:appmesh:eu-west-1:123456789012:mesh/apps/virtualNode/a'
		const captureOf = (metadata: NonNullable<Init['metadata']>) => {
			const proxy = read({ id, metadata })
			return proxy.ok ? proxy.value.group.capture.mode : proxy.error
		}
		expect(captureOf(ofImage)).toBe('intercept')
		expect(captureOf({ ...ofImage, sluice: { instance: 'task-1' } })).toBe('intercept')
		expect(captureOf({ ...ofImage, sluice: { capture: 'explicit' } })).toBe('explicit')
		expect(captureOf({ 'aws.ecs.other': {} })).toBe('explicit')
	})

	test.for([
		['a list', []],
		['a text', 'explicit'],
		['an instance that is a number', { instance: 1 }],
		['an empty instance', { instance: '' }],
		['an instance with a separator', { instance: 'a#b' }],
		['another capture mode', { capture: 'iptables' }],
		['a bind that is a name', { bind: 'localhost' }],
		['port 0', { egressPort: 0 }],
		['half a port', { egressPort: 80.5 }],
		['a port in a text', { egressPort: '15001' }],
		['an application by name', { app: 'localhost:8080' }],
		['an application at a port too large', { app: '127.0.0.1:70000' }],
		['IPv6 without brackets', { app: '::1:8080x' }],
		['an application that is a number', { app: 8080 }],
	] as const)('%s is refused', ([, sluice]) => {
		expect(withSluice(structuredClone(sluice) as Parameters<typeof withSluice>[0])).toMatchObject({ ok: false })
	})
})
