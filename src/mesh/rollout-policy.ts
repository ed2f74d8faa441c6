import { compareText } from '#base/diagnostic.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { HookSpec } from './hook-spec.ts'
import type {
	ErrorsGuard,
	LatencyGuard,
	Mesh,
	ResourceId,
	RolloutPolicy,
	RolloutPolicySpec,
	RolloutStep,
	RolloutWindow,
	Route,
	ThresholdGuard,
	WavesSpec,
} from './mesh.ts'

/** What an `errors` guard does where its policy does not say. */
export const defaultErrorsGuard: ErrorsGuard = deepFreeze({
	kind: 'errors',
	alpha: 0.01,
	toleranceRatio: 1.25,
	tolerancePpm: 500,
	absoluteLimitPpm: 50_000,
	hardLimitPpm: 500_000,
})

/** What a `latency` guard does where its policy does not say. */
export const defaultLatencyGuard: LatencyGuard = deepFreeze({
	kind: 'latency',
	thresholdMs: null,
	toleranceRatio: 1.25,
	tolerancePpm: 500,
})

/** What a `threshold` guard does where its policy does not say. */
export const defaultThresholdGuard = deepFreeze({
	intervalMs: 15_000,
	windowMs: 60_000,
	minMeasurements: 3,
	breaches: { count: 3, of: 5 },
	onNoData: 'hold',
}) satisfies Partial<ThresholdGuard>

/** What a hook does where its policy does not say. */
export const defaultHook = deepFreeze({ timeoutMs: 10_000, intervalMs: 10_000 }) satisfies Partial<HookSpec>

/** What a step does where its policy does not say. */
export const defaultRolloutStep: Omit<RolloutStep, 'sharePpm'> = deepFreeze({
	minDurationMs: 60_000,
	minRequests: 0,
	warmUpMs: null,
	gate: 'none',
	deadlineMs: null,
})

/** What waves do where their policy does not say. */
export const defaultWaves: WavesSpec = deepFreeze({ sharesPpm: [100_000, 300_000], minDurationMs: 60_000 })

/** What holds for a route without a policy, and for each field that a policy does not write. */
export const defaultRolloutPolicySpec: RolloutPolicySpec = deepFreeze({
	match: { virtualRouter: null, route: null },
	steps: [50_000, 250_000, 500_000, 750_000].map((sharePpm) => ({ sharePpm, ...defaultRolloutStep })),
	front: [],
	mirrorPpm: 0,
	sticky: null,
	guards: [defaultErrorsGuard],
	unguarded: null,
	deadlineMs: 30 * 60_000,
	onDeadline: 'hold',
	onNoTraffic: 'hold',
	onInconclusive: 'hold',
	onNoEvidence: 'hold',
	onSharedIncident: 'stepBack',
	bakeMs: 5 * 60_000,
	holdBackPpm: 0,
	warmUpMs: 15_000,
	waves: null,
	group: 'join',
	windows: [],
	hooks: [],
})

/** Each step closes the connections that outlast the drain time, so a TCP route takes two: a few of them, then all. */
const defaultTcpRolloutPolicySpec: RolloutPolicySpec = deepFreeze({
	...defaultRolloutPolicySpec,
	steps: [{ sharePpm: 100_000, ...defaultRolloutStep }],
})

/**
 * The policy for a route: the most specific that matches (route and router, then route, then router, then neither);
 * of equally specific ones the first by name; the default of its protocol when none matches.
 */
export function policyForRoute(mesh: Pick<Mesh, 'resources'>, route: Route): RolloutPolicySpec {
	const written = writtenPolicyFor(mesh, route)?.spec
	const isTcp = route.spec.protocol === 'tcp'
	if (written === undefined) return isTcp ? defaultTcpRolloutPolicySpec : defaultRolloutPolicySpec
	return withFrontOf(route, isTcp ? { ...withoutLatency(written), mirrorPpm: 0, sticky: null } : written)
}

/** The most specific policy that is written for the route. */
export function writtenPolicyFor({ resources }: Pick<Mesh, 'resources'>, route: Route): RolloutPolicy | null {
	return policiesOf(resources).find((policy) => policyMatches(policy, route)) ?? null
}

const policiesOfMesh = new WeakMap<Mesh['resources'], readonly RolloutPolicy[]>()

/** The most specific first, and of equally specific ones the first by name. Found once for a mesh: each route asks. */
function policiesOf(resources: Mesh['resources']): readonly RolloutPolicy[] {
	const known = policiesOfMesh.get(resources)
	if (known !== undefined) return known
	const policies = Object.values(resources)
		.filter((resource) => resource.kind === 'RolloutPolicy')
		.sort((left, right) => specificity(right) - specificity(left) || compareText(left.name, right.name))
	policiesOfMesh.set(resources, policies)
	return policies
}

/** Of what is in front, that which the requests of the route can match. */
function withFrontOf({ spec: { match } }: Route, spec: RolloutPolicySpec): RolloutPolicySpec {
	const front = spec.front.filter(({ kind }) => kind === match.kind)
	return front.length === spec.front.length ? spec : { ...spec, front }
}

/** A connection of TCP has no answer that could be slow. */
function withoutLatency(spec: RolloutPolicySpec): RolloutPolicySpec {
	const guards = spec.guards.filter(({ kind }) => kind !== 'latency')
	return guards.length === spec.guards.length ? spec : { ...spec, guards }
}

/** The policy by which changes other than of weights go out in a mesh: the first by name that has waves, or null. */
export function policyForWaves({ resources }: Pick<Mesh, 'resources'>, mesh: string): RolloutPolicySpec | null {
	const policies = policiesOf(resources).filter((policy) => policy.mesh === mesh && policy.spec.waves !== null)
	return policies.sort((left, right) => compareText(left.name, right.name))[0]?.spec ?? null
}

/**
 * When a resource of the mesh may go forward: a route's by its policy; of anything else by the policy that speaks for the
 * whole mesh.
 */
export function windowsOver(mesh: Mesh, id: ResourceId): readonly RolloutWindow[] {
	const resource = mesh.resources[id]
	if (resource?.kind === 'Route') return policyForRoute(mesh, resource).windows
	const whole = policiesOf(mesh.resources).find((policy) => policy.mesh === resource?.mesh && specificity(policy) === 0)
	return whole?.spec.windows ?? []
}

/** Whether a policy speaks for a route, be it the most specific one or not. */
export function policyMatches(policy: RolloutPolicy, route: Route): boolean {
	const { virtualRouter, route: name } = policy.spec.match
	if (policy.mesh !== route.mesh) return false
	if (name !== null && name !== route.name) return false
	return virtualRouter === null || route.spec.virtualRouter.endsWith(`/virtualRouter/${virtualRouter}`)
}

function specificity({ spec: { match } }: RolloutPolicy): number {
	return (match.route === null ? 0 : 2) + (match.virtualRouter === null ? 0 : 1)
}

/** Whether what is asked depends on a route: its names are variables of a query. */
export function asksOfRoute({ source }: ThresholdGuard): boolean {
	return /\{\{\s*(?:virtualRouter|route|canary|baseline)\s*\}\}/.test(JSON.stringify(source))
}
