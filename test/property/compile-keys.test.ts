// The promise on which everything after the compiler rests: equal keys build equal bytes. Pairs of meshes are drawn from
// so few values that most of their resources are alike, and some differ in one thing.
import { toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Capture, CompiledResource } from '#compile/compiled.ts'
import { compileInput, explicitCapture } from '../fixtures/compile-fixture.ts'
import type { BriefResource } from '../fixtures/mesh-fixture.ts'

const timeout = fc.constantFrom(
	{ perRequestMs: null, idleMs: null },
	{ perRequestMs: 1000, idleMs: null },
	{ perRequestMs: null, idleMs: 0 },
)
const protocol = fc.constantFrom('http' as const, 'http2' as const)
const port = fc.constantFrom(80, 8080)
const listeners = fc.uniqueArray(fc.record({ port, protocol, timeout }), {
	selector: (each) => each.port,
	maxLength: 2,
})
const ipPreference = fc.constantFrom(null, 'IPv4_ONLY' as const, 'IPv6_PREFERRED' as const)
const responseType = fc.constantFrom('LOADBALANCER' as const, 'ENDPOINTS' as const)
const dns = fc.record({ hostname: fc.constantFrom('one.local', 'two.local'), responseType, ipPreference })
const services = ['direct.local', 'routed.local']

const mesh = fc.record({
	egressFilter: fc.constantFrom('ALLOW_ALL' as const, 'DROP_ALL' as const),
	ipPreference,
})
const retryPolicy = fc.constantFrom(null, {
	maxRetries: 1,
	perRetryTimeoutMs: 10,
	httpRetryEvents: ['gateway-error' as const],
	tcpRetryEvents: [],
	grpcRetryEvents: [],
})
const match = fc.record({
	path: fc.constantFrom({ kind: 'prefix' as const, prefix: '/' }, { kind: 'exact' as const, path: '/' }),
	method: fc.constantFrom(null, 'GET'),
	port: fc.constantFrom(null, 80),
})
const targets = fc.constantFrom<Record<string, number>[]>(
	{ v1: 1 },
	{ v1: 1, v2: 1 },
	{ v1: 1, v2: 0 },
	{ 'v1:8080': 1 },
)
const provider = fc.constantFrom({ node: 'v1' }, { router: 'r' }, {})

const resources: fc.Arbitrary<BriefResource[]> = fc
	.record({
		mesh,
		dns1: dns,
		dns2: dns,
		own: listeners,
		l1: listeners,
		l2: listeners,
		timeout,
		retryPolicy,
		match,
		targets,
		provider,
	})
	.chain((drawn) =>
		fc.record({ drawn: fc.constant(drawn), backends: fc.subarray(services), router: listeners, priority: fc.nat(1) }),
	)
	.map(({ drawn, backends, router, priority }) => [
		{ kind: 'Mesh', spec: drawn.mesh },
		{ kind: 'VirtualNode', name: 'web', listeners: drawn.own, backends },
		{ kind: 'VirtualNode', name: 'v1', listeners: drawn.l1, dns: drawn.dns1 },
		{ kind: 'VirtualNode', name: 'v2', listeners: drawn.l2, dns: drawn.dns2 },
		{ kind: 'VirtualService', name: 'direct.local', ...drawn.provider },
		{ kind: 'VirtualService', name: 'routed.local', router: 'r' },
		{
			kind: 'VirtualRouter',
			name: 'r',
			listeners: router.map((each) => ({ port: each.port, protocol: each.protocol })),
		},
		{
			kind: 'Route',
			name: 'x',
			router: 'r',
			targets: drawn.targets,
			spec: { match: drawn.match, retryPolicy: drawn.retryPolicy, timeout: drawn.timeout, priority },
		},
		{ kind: 'Route', name: 'y', router: 'r', targets: { v2: 1 } },
	])

const capture = fc.constantFrom<Capture[]>(
	explicitCapture,
	{ ...explicitCapture, bind: '127.0.0.12' },
	{ ...explicitCapture, egressPort: 15_002 },
	{ ...explicitCapture, app: { address: '127.0.0.22', port: null } },
	{ mode: 'intercept' },
)

const bytesOf = (resource: CompiledResource) => {
	const { schema, message } = resource.build()
	return Buffer.from(toBinary(schema, message)).toString('base64')
}

test('equal keys build equal bytes, whatever else differs', () => {
	let alike = 0
	fc.assert(
		fc.property(fc.array(fc.record({ resources, capture }), { minLength: 2, maxLength: 4 }), (inputs) => {
			const bytes = new Map<string, string>()
			for (const input of inputs) {
				for (const resource of compileInput({ proxy: 'web', ...input })) {
					const key = `${resource.typeUrl} ${resource.name} ${resource.key}`
					const built = bytesOf(resource)
					if (bytes.has(key)) alike += 1
					expect(bytes.get(key) ?? built).toBe(built)
					bytes.set(key, built)
				}
			}
		}),
		{ numRuns: 300 },
	)
	expect(alike).toBeGreaterThan(100)
})
