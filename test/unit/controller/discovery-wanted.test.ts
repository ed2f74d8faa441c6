import { expect, test } from 'vitest'
import { wantedOf } from '#controller/discovery-wanted.ts'
import { readMesh } from '#mesh/read-mesh.ts'

const node = (name: string, spec: object) => ({
	kind: 'VirtualNode',
	metadata: { mesh: 'apps', name },
	spec: { listeners: [{ portMapping: { port: 80, protocol: 'http' } }], ...spec },
})

function resourcesOf(documents: readonly object[]) {
	const text = documents.map((document) => JSON.stringify({ apiVersion: 'sluice/v1', ...document })).join('\n---\n')
	const outcome = readMesh(new Map([['mesh.yaml', new TextEncoder().encode(text)]]))
	if (outcome.kind === 'refused') throw new Error(JSON.stringify(outcome.diagnostics))
	return Object.values(outcome.mesh.resources)
}

test('every query and every secret that the daemon is to serve, each once, sorted; no files', () => {
	const cloudMap = (serviceName: string, attributes: readonly object[] = []) => ({
		serviceDiscovery: { awsCloudMap: { namespaceName: 'shop.local', serviceName, attributes } },
	})
	const arn = (kind: string, id: string) => `arn:aws:acm:eu-west-1:123456789012:${kind}/${id}`
	const listener = (tls: object) => [{ portMapping: { port: 80, protocol: 'http' }, tls: { mode: 'STRICT', ...tls } }]
	const resources = resourcesOf([
		{ kind: 'Mesh', metadata: { name: 'apps' }, spec: {} },
		node('b', {
			...cloudMap('web', [{ key: 'version', value: '2' }]),
			listeners: listener({
				certificate: { sds: { secretName: 'web-cert' } },
				validation: { trust: { sds: { secretName: 'callers' } } },
			}),
		}),
		node('a', {
			...cloudMap('web'),
			listeners: listener({ certificate: { acm: { certificateArn: arn('certificate', 'f00') } } }),
			backendDefaults: {
				clientPolicy: {
					tls: {
						certificate: { file: { certificateChain: '/c.pem', privateKey: '/k.pem' } },
						validation: { trust: { acm: { certificateAuthorityArns: [arn('certificate-authority', 'ca1')] } } },
					},
				},
			},
			backends: [{ virtualService: { virtualServiceName: 'b.local' } }],
		}),
		node('c', cloudMap('web')),
		{
			kind: 'VirtualService',
			metadata: { mesh: 'apps', name: 'b.local' },
			spec: { provider: { virtualNode: { virtualNodeName: 'b' } } },
		},
		{
			kind: 'VirtualGateway',
			metadata: { mesh: 'apps', name: 'in' },
			spec: {
				listeners: listener({ certificate: { sds: { secretName: 'edge' } } }),
				backendDefaults: { clientPolicy: { tls: { validation: { trust: { sds: { secretName: 'callers' } } } } } },
			},
		},
	])
	const wanted = wantedOf(resources)
	expect(wanted.secrets).toEqual(['ca1', 'callers', 'edge', 'f00', 'web-cert'])
	expect(wanted.queries.map(({ serviceName, attributes }) => [serviceName, attributes])).toEqual([
		['web', [{ key: 'version', value: '2' }]],
		['web', []],
	])
})
