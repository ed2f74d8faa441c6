import type { Mesh } from '#mesh/mesh.ts'
import type { ClientTls } from '#mesh/proxy-spec.ts'
import { addressTraps } from './address-traps.ts'
import type { ChangedPath } from './changed-path.ts'
import { concernedCallers, isFeltByNobody, type MeshCalls } from './concerned-callers.ts'
import { type Call, callsOf, type LivePath, livePathsOf, type TargetsOf, writtenTargets } from './live-paths.ts'
import type { Target } from './plan.ts'
import { portTraps, servicePortTraps } from './port-traps.ts'
import { targetKey } from './split.ts'
import { tlsTraps } from './tls-traps.ts'
import { joinCallers, type Trap } from './trap.ts'

// What both ends of a connection must agree on (TLS, ports, protocol, names) cannot change on both at once. A revision
// that would is found here, before anything of it is applied. Only what carries traffic now is looked at: a path that
// nobody uses breaks nobody.

/** Sorted by code and resource; empty when every change can be taken up by one proxy after the other. */
export function findTraps(applied: Mesh, desired: Mesh, targetsOf: TargetsOf = writtenTargets): readonly Trap[] {
	if (applied.hash === desired.hash || isFeltByNobody(applied, desired)) return []
	const before = { mesh: applied, calls: callsOf(applied) }
	const after = { mesh: desired, calls: callsOf(desired) }
	const concerned = concernedCallers(before, after, targetsOf)
	if (concerned.size === 0) return []
	const among = ({ mesh, calls }: MeshCalls) => ({
		mesh,
		calls: calls.filter(({ caller }) => concerned.has(caller.id)),
	})
	return trapsBetween(among(before), among(after), targetsOf)
}

/** Of the callers in these calls, each of whom is there with all of his own. */
export function trapsBetween(before: MeshCalls, after: MeshCalls, targetsOf: TargetsOf): readonly Trap[] {
	const [applied, desired] = [before.mesh, after.mesh]
	const paths = changedPaths(before, after, targetsOf)
	const traps = paths.flatMap((path) => [
		...tlsTraps(path),
		...portTraps(path, desired),
		...addressTraps(path, { applied, desired }),
	])
	return joinCallers([...traps, ...servicePortTraps(paths, { applied, desired })])
}

function changedPaths(before: MeshCalls, after: MeshCalls, targetsOf: TargetsOf): ChangedPath[] {
	const { resources } = after.mesh
	const laterCalls = new Map(after.calls.map((call) => [keyOfCall(call), call]))
	const kept = new Set(livePathsOf(after.mesh, after.calls, writtenTargets).map(keyOfPath))
	const written = new Set(livePathsOf(before.mesh, before.calls, writtenTargets).map(keyOfPath))
	const reached = {
		// The clusters of what a rollout leads to are there too, by the same policies.
		before: livePathsOf(before.mesh, before.calls, (route) =>
			uniqueTargets([...route.spec.targets, ...targetsOf(route)]),
		),
		after: livePathsOf(after.mesh, after.calls, allTargets),
	}
	const policiesBefore = policiesByEnds(reached.before)
	// What the weights lead to meanwhile is reached with the new policies, old paths among them.
	const policiesAfter = policiesByEnds([
		...reached.after,
		...reached.before.flatMap((path) => {
			const call = laterCalls.get(keyOfCall(path))
			return call === undefined || kept.has(keyOfPath(path)) ? [] : [{ ...path, clientTls: call.clientTls }]
		}),
	])
	const live = livePathsOf(before.mesh, before.calls, (route) => uniqueTargets(targetsOf(route)))
	return live.flatMap((path): ChangedPath[] => {
		const call = laterCalls.get(keyOfCall(path))
		if (call === undefined) return []
		const key = keyOfPath(path)
		// Only a rollout leads there, and it goes back now: nothing may be in its way.
		if (!written.has(key) && !kept.has(key)) return []
		const node = resources[path.node.id]
		const ends = keyOfEnds(path)
		return [
			{
				before: path,
				call,
				node: node?.kind === 'VirtualNode' ? node : null,
				policies: { before: policiesBefore.get(ends) ?? [], after: policiesAfter.get(ends) ?? [] },
				end: kept.has(key) ? 'kept' : 'left',
			},
		]
	})
}

function uniqueTargets(targets: readonly Target[]): readonly Target[] {
	return [...new Map(targets.map((target) => [targetKey(target), target])).values()]
}

const allTargets: TargetsOf = ({ spec }) => spec.targets

function policiesByEnds(paths: readonly LivePath[]): ReadonlyMap<string, readonly (ClientTls | null)[]> {
	const groups = Map.groupBy(paths, keyOfEnds)
	return new Map([...groups].map(([key, group]) => [key, group.map(({ clientTls }) => clientTls)]))
}

function keyOfEnds({ caller, node, listener }: LivePath): string {
	return `${caller.id} ${node.id} ${listener.port}`
}

function keyOfCall({ caller, service }: Call): string {
	return `${caller.id} ${service.id}`
}

function keyOfPath(path: LivePath): string {
	return `${keyOfCall(path)} ${path.route?.id ?? ''} ${path.node.id} ${path.listener.port}`
}
