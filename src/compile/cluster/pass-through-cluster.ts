import type { CompiledResource } from '../compiled.ts'
import { passThroughClusterName } from '../names.ts'
import { originalDestination } from './original-destination.ts'

/** What no virtual service speaks for, in a mesh whose egress filter is ALLOW_ALL. */
export function compilePassThroughCluster(mesh: string): CompiledResource {
	return originalDestination(passThroughClusterName(mesh), mesh)
}
