import type { DiscoveryPort } from '#controller/ports.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'

/** Finds nothing, and is not troubled by it: for meshes that name nothing to find. */
export const noDiscovery: DiscoveryPort = {
	current: () => nothingDiscovered,
	follow() {},
	troubles: () => [],
}
