import { expect, test } from 'vitest'
import { checkBackends, readBackends } from '../../../../src/mesh/kind/backends.ts'
import type { VirtualNodeClientPolicy, VirtualNodeManifest } from '../../../../src/mesh/manifest.generated.ts'

type Written = { virtualServiceName: string; clientPolicy?: VirtualNodeClientPolicy; egressPort?: number }

function nodeWith(backends: Written[], clientPolicy?: VirtualNodeClientPolicy): VirtualNodeManifest {
	return {
		apiVersion: 'sluice/v1',
		kind: 'VirtualNode',
		metadata: { mesh: 'apps', name: 'n' },
		spec: {
			backends: backends.map((virtualService) => ({ virtualService })),
			...(clientPolicy === undefined ? {} : { backendDefaults: { clientPolicy } }),
		},
	}
}

const trusting = (secretName: string): VirtualNodeClientPolicy => ({
	tls: { validation: { trust: { sds: { secretName } } } },
})
const arn = 'arn:aws:appmesh:eu-west-1:111122223333:mesh/apps/virtualService/a.local'

test('a backend has its own client policy, or that of the defaults', () => {
	const backends = [
		{ virtualServiceName: 'c.local', clientPolicy: {} },
		{ virtualServiceName: 'b.local', clientPolicy: trusting('own') },
		{ virtualServiceName: 'a.local', egressPort: 1234 },
	]
	const read = readBackends(nodeWith(backends, trusting('default')))
	expect(
		read.map(({ virtualService, clientTls, egressPort }) => [virtualService, clientTls?.validation.trust, egressPort]),
	).toEqual([
		['mesh/apps/virtualService/a.local', { kind: 'sds', secretName: 'default' }, 1234],
		['mesh/apps/virtualService/b.local', { kind: 'sds', secretName: 'own' }, null],
		['mesh/apps/virtualService/c.local', undefined, null],
	])
})

test('without a policy the server decides', () => {
	expect(readBackends(nodeWith([{ virtualServiceName: 'a.local' }]))).toMatchObject([{ clientTls: null }])
})

test.for<[string, Written, number]>([
	['the name again', { virtualServiceName: 'a.local' }, 0],
	['its ARN', { virtualServiceName: arn }, 0],
	['the same policy, written out', { virtualServiceName: arn, clientPolicy: trusting('default') }, 0],
	['another policy', { virtualServiceName: 'a.local', clientPolicy: trusting('other') }, 1],
	['no policy', { virtualServiceName: 'a.local', clientPolicy: {} }, 1],
	['an egress port', { virtualServiceName: arn, egressPort: 1 }, 1],
])('a service that is there twice, as %2$j: %3$i findings', ([, second, count]) => {
	const node = nodeWith([{ virtualServiceName: 'a.local' }, second], trusting('default'))
	expect(checkBackends(node).map(({ code, path }) => [code, path[2]])).toEqual(Array(count).fill(['SL0220', 1]))
	expect(readBackends(node)).toHaveLength(1)
})
