import type { Discovered } from '#discovery/discovered.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { ProxyGroup } from './compiled.ts'

/** Everything that decides what a group's proxies hold. */
export type GroupInput = {
	readonly effective: EffectiveMesh
	readonly group: ProxyGroup
	readonly discovered: Discovered
}
