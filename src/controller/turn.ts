import type { Diagnostic } from '#base/diagnostic.ts'
import type { Alarm, GuardParameters, Look } from '#guard/look.ts'
import type { HookEvent } from '#hooks/hook-call.ts'
import type { Mesh, Origins, RolloutWindow } from '#mesh/mesh.ts'
import type { ShiftGroup } from '#plan/plan.ts'
import type { FleetFacts } from '#rollout/fleet-facts.ts'
import type { Rollout } from '#rollout/rollout.ts'
import type { RevisionInfo } from '#source/revision.ts'
import type { JournalEntry, StoredLook } from '#store/store.ts'
import type { MeasurementEvent } from '#telemetry/measurement.ts'
import type { CommandReply, ControllerCommand } from './commands.ts'
import type { Settlement } from './settle.ts'
import type { ControllerState } from './state.ts'

// What goes into a turn, and what comes out of it.

export type CoreEvent =
	| { readonly kind: 'boot'; readonly downMs: number }
	| {
			readonly kind: 'read'
			readonly info: RevisionInfo
			readonly mesh: Mesh
			readonly origins: string
			readonly warnings: readonly Diagnostic[]
	  }
	| {
			readonly kind: 'refused'
			readonly info: RevisionInfo | null
			readonly diagnostics: readonly Diagnostic[]
			readonly acceptable: boolean
	  }
	/** Proxies hold what an empty store knows nothing of. */
	| { readonly kind: 'strangers'; readonly proxies: readonly string[] }
	/** A look at the source found this revision, and nothing new. */
	| { readonly kind: 'seen'; readonly revision: string }
	| { readonly kind: 'look'; readonly rollout: string; readonly step: number; readonly look: Look }
	| { readonly kind: 'alarm'; readonly rollout: string; readonly alarm: Alarm }
	| MeasurementEvent
	| HookEvent
	| { readonly kind: 'command'; readonly command: ControllerCommand }

export type TurnInput = {
	readonly events: readonly CoreEvent[]
	/** Monotonic time since the last turn. */
	readonly elapsedMs: number
	readonly wallMs: number
	/** Whether one of these windows is open at this moment; true without windows. */
	readonly isWithin: (windows: readonly RolloutWindow[]) => boolean
	readonly factsOf: (rollout: Rollout) => FleetFacts
	/** Rollouts that had succeeded and were taken back by a daemon that could not write it down any more. */
	readonly foundBack: readonly string[]
	/** `known`: connected or expected, under a name that outlives its connection. */
	readonly proxyStanding: (proxyKey: string) => 'known' | 'unjoined' | 'unknown'
	/** How the errors of what falls have varied so far. */
	readonly phiOf: (group: Pick<ShiftGroup, 'falling'>) => GuardParameters['phi']
	/** What keeps removals waiting, or null. */
	readonly fleetLags: string | null
	/** All of the applied mesh is served to everybody, and nothing stands in for what waits. */
	readonly isWhole: boolean
	/** False while the last decision is not durable, and on the pass that looks only for ways back. */
	readonly forward: boolean
	/** The store took the last decision in. */
	readonly durable: boolean
	readonly meshes: ReadonlyMap<string, Mesh>
	/** Where the resources of a revision are written, by the name in its event. */
	readonly originsOf: (name: string) => Origins
}

export type TurnResult = {
	readonly state: ControllerState
	readonly journal: readonly JournalEntry[]
	/** What was judged: kept if it can be, and waited for by nobody. */
	readonly looks: readonly StoredLook[]
	/** Meshes that the state names and that were not known before. */
	readonly newMeshes: readonly Mesh[]
	/** A rollout went back in this turn: it is published before it is journalled. */
	readonly wentBack: boolean
	readonly replies: readonly CommandReply[]
	/** What of the applied mesh has not come into force, and why. */
	readonly settlement: Settlement | null
}
