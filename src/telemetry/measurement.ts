import type { Measurement } from '#guard/look.ts'
import type { ThresholdSource } from '#mesh/mesh.ts'

// The contract between threshold guards and those who are asked for their figures.

/** What one threshold guard asks. The variables of its source are filled in. */
export type Question = { readonly source: ThresholdSource; readonly windowMs: number }

/** A guard of a running rollout, to be asked about again and again. */
export type WatchedThreshold = {
	readonly rollout: string
	readonly guard: string
	readonly question: Question
	readonly intervalMs: number
}

export type MeasurementEvent = {
	readonly kind: 'measurement'
	readonly rollout: string
	readonly guard: string
	/** Rises with each event of a process. */
	readonly sequence: number
	readonly measurement: Measurement
}

/** Somebody who measures: Prometheus, a JSON document, CloudWatch. */
export type MeasurementSource = {
	/** Never rejects: what is no number is no data, with the reason in half a sentence. Holds no secret. */
	ask(question: Question, signal: AbortSignal): Promise<Measurement>
}

export function noData(reason: string): Measurement {
	return { kind: 'noData', reason }
}
