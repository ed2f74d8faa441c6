import type { CompiledResource } from '../compiled.ts'
import { amazonawsClusterName } from '../names.ts'
import { originalDestination } from './original-destination.ts'

/** AWS's own services, which a mesh may always call, also where its egress filter is DROP_ALL. */
export function compileAmazonawsCluster(mesh: string): CompiledResource {
	return originalDestination(amazonawsClusterName(mesh), mesh)
}
