import { create, toBinary } from '@bufbuild/protobuf'
import { NodeSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import { caller, routeFile, routeYaml, smallMesh } from '../../test/envoy/fixtures/small-mesh.ts'
import { clustersOf } from './played-flush.ts'

// The mesh of the bench, and the proxies of its one caller: they have a stable version and a canary to count.

const service = 'shop'
const port = 8080
export const clusters = clustersOf('apps', { stable: `${service}1`, canary: `${service}2` }, port)

/** Stays at its first step for longer than is measured. */
const policy = `apiVersion: sluice/v1
kind: RolloutPolicy
metadata: { mesh: apps, name: slow }
spec:
  match: {}
  steps: [{ weight: 25, minDuration: 1h }]
  guards: [{ kind: errors }]
  warmUp: 0s
  deadline: 24h
  onNoEvidence: hold
`

export function meshFiles(): Readonly<Record<string, string>> {
	return { ...smallMesh({ services: [service], port, stepsPercent: [], guards: '[]' }), 'policy.yaml': policy }
}

/** Starts the rollout. */
export const shift = { file: routeFile(service), text: routeYaml(service, { [`${service}2`]: 100 }) }

export function nodeOfProxy(index: number): Uint8Array {
	const node = create(NodeSchema, {
		id: `mesh/apps/virtualNode/${caller}`,
		cluster: caller,
		metadata: { sluice: { instance: `host-${index}`, capture: 'intercept' } },
		userAgentName: 'envoy',
		userAgentVersionType: {
			case: 'userAgentBuildVersion',
			value: { version: { majorNumber: 1, minorNumber: 40, patch: 0 } },
		},
	})
	return toBinary(NodeSchema, node)
}
