import type { RequestTimes } from '#base/request-times.ts'
import type { PackedLogs } from './packed-logs.ts'

// The contract of stage 4: what the guard is given, keeps and answers. Samples are proxies' flushes, folded at the edge
// where they arrive; a Look is what enters the controller: numbered, of fixed size whatever the number of proxies.

/** A rising target, by its virtual node's id and port, e.g. `mesh/apps/virtualNode/serviceBv2:80`. */
export type CanaryKey = string

/** What one proxy counted for one arm since its last flush. Increments, but for `active`. */
export type ArmIncrement = {
	/** Requests that got their final answer: `upstream_rq_completed`. */
	readonly completed: number
	/** Final 5xx, timeouts, resets and refusals too: `upstream_rq_5xx`. Of gRPC, maybe of requests that completed before. */
	readonly errors: number
	/** Retries: each is an attempt that failed. `upstream_rq_retry`. */
	readonly retries: number
	/** Attempts begun: `upstream_rq_total`. */
	readonly started: number
	/** In flight at the moment of the flush: `upstream_rq_active`. */
	readonly active: number
	/** How long those took that were answered: `upstream_rq_time`. Nothing is known without it. */
	readonly times?: RequestTimes
}

/** One proxy's flush, as one rollout sees it. `lane`: of routes with the same shares; absent where all have them. */
export type Sample = {
	readonly proxy: string
	/** Availability zone, or ''. `shares` names those that it had ACKed when it counted; null while it is between two. */
	readonly zone: string
	readonly shares: string | null
	readonly lane?: string
	readonly canaries: Readonly<Record<CanaryKey, ArmIncrement>>
	readonly baseline: ArmIncrement
	/** Requests that found no route or no cluster: they count against the rollout, as failed canary requests. */
	readonly unrouted: number
}

export type Counts = { readonly requests: number; readonly errors: number }

/** What a look holds of one metric of one canary. Counts are over all strata. */
export type MetricLook = ArmCounts & {
	/** Σ over strata of L(r), one for each effect size of the grid, before φ and clip. */
	readonly logFactors: readonly number[]
	/** Σ over strata of ln F(A), one for each A of the non-inferiority test; -Infinity is written as null. */
	readonly proofs: readonly (number | null)[]
}

/** What a look holds of one canary by itself, for when there is no baseline: of the final failures only. */
export type AbsoluteLook = {
	/** Σ over proxies of the log factors, one for each effect size, before φ and clip. */
	readonly logFactors: readonly number[]
	/** ln F(A) against the absolute limit, one for each A; -Infinity is written as null. */
	readonly proofs: readonly (number | null)[]
}

/** Requests that took longer than the edge are the errors here. */
export type LatencyLook = MetricLook & {
	readonly edgeMs: number
	/** Proxies whose request times were incomplete: they are left out. */
	readonly incomplete: number
}

/** `final`: what users saw. `attempts`: what the version did before retries hid it. `latency`: how long it took. */
export type Metric = 'final' | 'attempts' | 'latency'

export type CanaryLook = {
	readonly final: MetricLook
	readonly attempts: MetricLook
	readonly absolute: AbsoluteLook
	/** One for each edge that the look was asked for. */
	readonly latency: readonly LatencyLook[]
	/** Null where the share of requests says nothing of the weights. */
	readonly share: ShareLook | null
	/** Null where the canary's endpoints cannot be told apart. */
	readonly withoutWorst: WithoutWorstLook | null
}

/** A canary's endpoint that failed most of late, by its proxy's key, beside all of them: what their own Envoys counted. */
export type WorstEndpoint = {
	readonly endpoint: string
	/** What is left out with it: nothing where chance may have given it its failures. */
	readonly counts: Counts
	readonly all: Counts
	readonly endpoints: number
}

/** The endpoint that most of the failures are blamed on, and its part of those of all. */
export type BlamedEndpoint = {
	readonly endpoint: string
	readonly errors: number
	readonly ofErrors: number
	readonly endpoints: number
}

/** What the look gives without that endpoint: log factors as in the looks that they are beside. */
export type WithoutWorstLook = {
	readonly worst: WorstEndpoint
	readonly final: readonly number[]
	readonly attempts: readonly number[]
	readonly absolute: readonly number[]
}

/** How the requests of a canary and of the baseline lie beside the share that was decided. */
export type ShareLook = {
	/** The canary's, of what both are to have: 0 … 1, neither 0 nor 1. */
	readonly expected: number
	readonly canary: number
	readonly baseline: number
	/** One for each bet of the share test. */
	readonly logFactors: readonly number[]
}

export type Look = {
	/** Counts from 1 within a rollout and a writer of looks. */
	readonly sequence: number
	/** The first look after a change of shares. */
	readonly stepStart: boolean
	/** Inside the warm-up: shown to people, not judged. */
	readonly warmingUp: boolean
	readonly canaries: Readonly<Record<CanaryKey, CanaryLook>>
	/** What came to the canaries beside their shares, in front of them or as copies: told, and compared with nothing. */
	readonly beside: Counts
	/** All that is known of the baseline's request times so far, while no edge is judged. */
	readonly baselineTimes: RequestTimes | null
	/** Proxies that send to the route: expected, those of them that reported, and the first 20 names of those that did not. */
	readonly proxies: { readonly expected: number; readonly fresh: number; readonly silent: readonly string[] }
}

/** The hard limit's finding: it acts at once, on a single flush. `by`: how the requests came to the canary. */
export type Alarm = {
	readonly kind: 'errors' | 'stall'
	readonly by: 'shares' | 'front' | 'mirror'
	readonly canary: CanaryKey
	/** The proxy whose flush shows it, or null when only the sum over the fleet does. */
	readonly proxy: string | null
	/** Over the windows that show it. For a stall, the canary's requests are those it was sent and never answered. */
	readonly counts: ArmCounts
}

/** Numbers of one metric that the guard keeps between looks: plain JSON, fixed size. */
export type MetricState = {
	/** ln S(r), one for each effect size. Looks with and without a baseline multiply the same sums. */
	readonly evidence: PackedLogs
	/** The same without the worst endpoint of each look; empty while no look could tell endpoints apart. */
	readonly without: PackedLogs
	/** ln ΠF(A), one for each A. Empty once proven, which it stays. */
	readonly proofs: PackedLogs
	/** Since the rollout began, warm-ups included. */
	readonly counts: FourCounts
}

/** Canary requests, canary errors, baseline requests, baseline errors: short, since many are written down. */
export type FourCounts = readonly [number, number, number, number]

export type ShareState = {
	readonly evidence: PackedLogs
	/** Requests of the canary and of the baseline, at the present shares. */
	readonly counts: readonly [number, number]
}

export type CanaryState = {
	readonly final: MetricState
	readonly attempts: MetricState
	/** One for each edge that is judged. */
	readonly latency: readonly MetricState[]
	readonly share: ShareState
	/** The endpoint that most of the failures are blamed on. */
	readonly blamed: BlamedEndpoint | null
	/** Requests at the present shares, without warm-ups. */
	readonly stepRequests: number
}

/** Whether both arms fail alike; see shared-incident.ts. */
export type IncidentState = {
	readonly kind: 'none' | 'shared'
	/** Windows in a row that speak for the other finding. */
	readonly windows: number
	/** The window that is filling. */
	readonly window: FourCounts
	/** What the last windows that show it counted, for people. */
	readonly shown: FourCounts
}

/** The canaries together and the baseline. */
export type ArmCounts = { readonly canary: Counts; readonly baseline: Counts }

export type GuardState = {
	/** Looks judged so far; the index of the restart weights. */
	readonly looks: number
	readonly lastSequence: number
	/** Step starts that were given their restart weight: never more than the rollout has steps. */
	readonly stepStarts: number
	/** The next judged look is the first of its step: it takes the restart weight of a step start. */
	readonly stepStartDue: boolean
	/** Canary requests seen at the present shares (the least of all canaries). */
	readonly stepRequests: number
	/** Canary requests in a judged look, averaged over the last few (the least of all canaries). */
	readonly requestsPerLook: number
	/** Requests and errors beside the shares, since the rollout began. */
	readonly beside: readonly [number, number]
	/** In the last look every expected proxy reported; else the first few of those that did not. */
	readonly fresh: boolean
	readonly silent: readonly string[]
	readonly incident: IncidentState
	/** Looks for which a bad endpoint still holds the steps; 0: none does. */
	readonly endpointHold: number
	/** Edges that request times are judged at; none while they are not known, or not judged. */
	readonly edgesMs: readonly number[]
	readonly canaries: Readonly<Record<CanaryKey, CanaryState>>
}

export type GuardParameters = {
	readonly alpha: number
	readonly toleranceRatio: number
	readonly tolerancePpm: number
	readonly absoluteLimitPpm: number
	readonly hardLimitPpm: number
	/** Over-dispersion of the baseline, and where the figure comes from. */
	readonly phi: { readonly value: number; readonly source: 'endpoints' | 'proxies' | 'baseline' | 'default' }
	/** What goes to canary or baseline by itself: each request, or each user with all of hers. Without it: requests. */
	readonly drawn?: 'requests' | 'users'
	/** How request times are judged; without it they are not. */
	readonly latency?: LatencyParameters | null
	/** Number of steps: the step starts share a quarter of the restart weight. */
	readonly steps: number
}

export type LatencyParameters = {
	/** The edge, in ms; null: edges follow from the baseline. */
	readonly edgeMs: number | null
	/** The share of slow requests may be `toleranceRatio` × the baseline's + `tolerancePpm`. */
	readonly toleranceRatio: number
	readonly tolerancePpm: number
}

/** What the evidence allows. Whether a step is taken is the rollout's to say. */
export type Verdict =
	| { readonly kind: 'advance'; readonly numbers: EvidenceNumbers }
	| (GuardHold & {
			readonly kind: 'hold'
			readonly reason: string
			readonly missingRequests: number
			readonly numbers: EvidenceNumbers
	  })
	| { readonly kind: 'rollBack'; readonly reason: string; readonly numbers: EvidenceNumbers }

/** What a step is missing, beside the words for it. */
export type GuardHold =
	/** Silence, the warm-up, or the proof. */
	| { readonly code: 'MORE_REQUESTS' }
	/** How long requests take is judged, and of those that came it was not told. */
	| { readonly code: 'NO_EVIDENCE' }
	/** Both arms over the absolute limit, and by how much. */
	| { readonly code: 'SHARED_INCIDENT'; readonly incident: ArmCounts }
	/** The requests do not lie as the weights say. */
	| { readonly code: 'WEIGHTS_NOT_APPLIED'; readonly share: ShareFinding }
	/** The canary fails more than it may, but hardly without this endpoint. */
	| { readonly code: 'BAD_ENDPOINT'; readonly blamed: BlamedEndpoint }

export type ShareFinding = Omit<ShareLook, 'logFactors'> & { readonly target: CanaryKey }

/** What people are shown. `evidence` of `needed`: the alarm is raised when it reaches it. */
export type EvidenceNumbers = {
	/** Canary and metric with the most evidence; the counts are theirs, the evidence is that of all together. */
	readonly target: CanaryKey
	readonly metric: Metric
	/** Of latency: requests that took longer are those counted as errors. */
	readonly edgeMs: number | null
	readonly canary: Counts
	readonly baseline: Counts
	/** What the canary is held against where that is not the baseline, in parts per million. */
	readonly limitPpm?: number
	readonly evidence: number
	readonly needed: number
	readonly phi: GuardParameters['phi']
	/** Endpoints of that canary that the newest look could tell apart; 0 when it could not. */
	readonly endpoints: number
}

/** What came of asking once. */
export type Measurement =
	/** `ageMs`: since the window that the value looks back on has ended. */
	| { readonly kind: 'value'; readonly value: number; readonly ageMs: number }
	/** An error, an empty answer, several values, an old one. `reason`: half a sentence, the source's own words in it. */
	| { readonly kind: 'noData'; readonly reason: string }

/** What is kept of one guard between measurements: plain JSON, fixed size. */
export type ThresholdState = {
	/** Of this boot's numbers; what is not above it was seen before. */
	readonly lastSequence: number
	/** The newest measurements with data, oldest first: `.` in bounds, `x` out of them. As many as breaches are looked for in. */
	readonly recent: string
	/** Measurements in bounds whose whole window lay in the step in force. */
	readonly inBounds: number
	/** Null until this boot has asked. */
	readonly newest: Measurement | null
	/** Since the newest one with data, or since the first step. */
	readonly sinceDataMs: number
}
