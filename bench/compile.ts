// Compile and encode for all proxies of a mesh with 1,000 routes: from nothing, and after one weight has changed.

import { performance } from 'node:perf_hooks'
import { compileGroup } from '#compile/compile-group.ts'
import { type ProxyGroup, proxyGroupKey } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { resourceId } from '#mesh/mesh.ts'
import { wholePpm } from '#plan/plan.ts'
import { type EffectiveMesh, splitOf } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { fixtureEffective, fixtureMesh } from '../test/fixtures/mesh-fixture.ts'
import { callerGroup, type ManyRoutes, manyRoutes } from './many-routes.ts'
import { type Bench, median, rounded } from './report.ts'

const size: ManyRoutes = { routers: 100, routesOfRouter: 10, callers: 50, backendsOfCaller: 4 }
const routes = size.routers * size.routesOfRouter
const rounds = 15

export const benchCompile: Bench = (say) => {
	const groups = Array.from({ length: size.callers }, (_, index) => callerGroup(index))
	const full: number[] = []
	const step: number[] = []
	const commit: number[] = []
	let resources = 0
	let encodedByStep = 0
	let encodedByCommit = 0
	for (let round = 0; round < rounds; round += 1) {
		// Made anew each time: indexes of a mesh are kept as long as it is.
		const before = effectiveWith(50)
		const first = serve(before, groups, new Map())
		// A step of a rollout: the mesh is the same, one route has other shares.
		const shares = { v1: 400_000, v2: 600_000 }
		const stepped = serve(withShares(before, shares), groups, first.snapshots)
		// A commit: another mesh, in which one route is another.
		const committed = serve(effectiveWith(40), groups, first.snapshots)
		full.push(first.tookMs)
		step.push(stepped.tookMs)
		commit.push(committed.tookMs)
		resources = first.encoded
		encodedByStep = stepped.encoded
		encodedByCommit = committed.encoded
	}
	const fullMs = median(full)
	const stepMs = median(step)
	const commitMs = median(commit)
	say(
		`${routes} routes, ${size.callers} identities with ${size.backendsOfCaller} backends each, ${resources} Envoy resources`,
	)
	say(`everything, from nothing       ${fullMs.toFixed(1)} ms, ${resources} encoded`)
	say(
		`one weight, by a rollout step  ${stepMs.toFixed(1)} ms, ${encodedByStep} encoded: 1/${(fullMs / stepMs).toFixed(0)} of everything`,
	)
	say(
		`one weight, by a new mesh      ${commitMs.toFixed(1)} ms, ${encodedByCommit} encoded: 1/${(fullMs / commitMs).toFixed(0)} of everything`,
	)
	return {
		routes,
		resources,
		fullMs: rounded(fullMs),
		step: { encoded: encodedByStep, ms: rounded(stepMs), ratioToFull: rounded(stepMs / fullMs) },
		commit: { encoded: encodedByCommit, ms: rounded(commitMs), ratioToFull: rounded(commitMs / fullMs) },
	}
}

function effectiveWith(weight: number): EffectiveMesh {
	return fixtureEffective(manyRoutes(size, weight))
}

function withShares(effective: EffectiveMesh, shares: Readonly<Record<'v1' | 'v2', number>>): EffectiveMesh {
	const route = resourceId.route(fixtureMesh, 'r0', 'p0')
	const split = (splitOf(effective, route) ?? []).map((target) => {
		const isFirst = target.virtualNode.endsWith('/v1')
		return { ...target, sharePpm: isFirst ? shares.v1 : wholePpm - shares.v1 }
	})
	return { ...effective, moved: { ...effective.moved, [route]: split } }
}

function serve(effective: EffectiveMesh, groups: readonly ProxyGroup[], before: ReadonlyMap<string, Snapshot>) {
	const startedMs = performance.now()
	const snapshots = new Map<string, Snapshot>()
	let encoded = 0
	for (const group of groups) {
		const key = proxyGroupKey(group)
		const compiled = compileGroup(effective, group, nothingDiscovered) ?? []
		const made = encodeSnapshot(compiled, before.get(key) ?? null)
		snapshots.set(key, made.snapshot)
		encoded += made.encoded
	}
	return { snapshots, encoded, tookMs: performance.now() - startedMs }
}
