import type { Trouble } from '#discovery/discovered.ts'
import type { Mesh, Origins } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import type { Concern } from './concerns.ts'
import type { Served } from './facts.ts'
import type { Settlement } from './settle.ts'
import type { SourceHealth } from './source-events.ts'
import type { ControllerState } from './state.ts'

/** What the faces read. A snapshot of one moment: the objects are never changed afterwards. */
export type ControllerView = {
	readonly state: ControllerState
	readonly settlement: Settlement | null
	/** False: the last decision is in force but not in the store yet, and nothing moves forward. */
	readonly durable: boolean
	readonly storeFailure: string | null
	readonly source: SourceHealth
	readonly meshes: ReadonlyMap<string, Mesh>
	readonly effective: EffectiveMesh | null
	/** Of the accepted revision. */
	readonly origins: Origins
	readonly served: Served
	readonly concernOf: (rollout: Rollout) => Concern
	/** What keeps discovery from finding something. */
	readonly troubles: readonly Trouble[]
	readonly turns: number
	readonly lastTurnMs: number
}
