import { BinaryReader } from '@bufbuild/protobuf/wire'
import { typeUrls } from '#compile/compiled.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'

const known = new WeakMap<EncodedResource, string | null>()

/**
 * The endpoint resource that an EDS cluster asks for: its `eds_cluster_config.service_name`, else its own name. Null for
 * clusters of another discovery type, and for resources that are no clusters.
 */
export function endpointsOfCluster(resource: EncodedResource): string | null {
	if (resource.typeUrl !== typeUrls.cluster) return null
	let name = known.get(resource)
	if (name === undefined) {
		name = readEndpointsName(resource)
		known.set(resource, name)
	}
	return name
}

/** Field numbers of envoy.config.cluster.v3.Cluster: `type` 2 (EDS is 3), `eds_cluster_config` 3. */
function readEndpointsName(resource: EncodedResource): string | null {
	let isEds = false
	let serviceName = ''
	const reader = new BinaryReader(resource.bytes)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 2) isEds = reader.uint32() === 3
		else if (field === 3) serviceName = readServiceName(reader.bytes())
		else reader.skip(wireType, field)
	}
	if (!isEds) return null
	return serviceName === '' ? resource.name : serviceName
}

/** `EdsClusterConfig.service_name` is field 2. */
function readServiceName(bytes: Uint8Array): string {
	let name = ''
	const reader = new BinaryReader(bytes)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 2) name = reader.string()
		else reader.skip(wireType, field)
	}
	return name
}
