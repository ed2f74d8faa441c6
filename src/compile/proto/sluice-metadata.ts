import { create } from '@bufbuild/protobuf'
import type { ResourceId } from '#mesh/mesh.ts'
import { type Metadata, MetadataSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'

/**
 * Says in a `/config_dump` what a piece of configuration was made for: App Mesh's names may hold `_` themselves, so
 * they cannot be taken apart again.
 */
export function sluiceMetadata(key: 'virtualNode' | 'virtualService' | 'frontOf', id: ResourceId): Metadata {
	return create(MetadataSchema, { filterMetadata: { sluice: { [key]: id } } })
}
