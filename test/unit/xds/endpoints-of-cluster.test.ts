import { expect, test } from 'vitest'
import { endpointsOfCluster } from '#xds/endpoints-of-cluster.ts'
import { edsCluster, endpoints, staticCluster } from '../../fixtures/resources.ts'

const at = { host: '127.0.0.1', port: 1 }

test.for([
	['an EDS cluster: its own name', edsCluster('a'), 'a'],
	['its service name', edsCluster('a', { serviceName: 'shared' }), 'shared'],
	['no EDS cluster', staticCluster('a', at), null],
	['no cluster', endpoints('a', at), null],
] as const)('%s', ([, resource, name]) => {
	expect(endpointsOfCluster(resource)).toBe(name)
	expect(endpointsOfCluster(resource)).toBe(name)
})
