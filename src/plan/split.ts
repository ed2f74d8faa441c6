import type { Route } from '#mesh/mesh.ts'
import type { WeightedTarget } from '#mesh/route-spec.ts'
import { type Split, type SplitTarget, type Target, wholePpm } from './plan.ts'

// Arithmetic of shares. Everything is in integers that sum to wholePpm, so that no traffic is lost to rounding.

/** The shares that a route's written weights ask for. */
export function splitOfRoute(route: Route): Split {
	return splitOfWeights(route.spec.targets)
}

/** Weights → shares by the largest remainder; a target that is written twice counts once with both weights. */
export function splitOfWeights(targets: readonly WeightedTarget[]): Split {
	const weights = new Map<string, { target: Target; weight: number }>()
	for (const { virtualNode, port, weight } of targets) {
		const key = targetKey({ virtualNode, port })
		weights.set(key, { target: { virtualNode, port }, weight: weight + (weights.get(key)?.weight ?? 0) })
	}
	const merged = [...weights.values()]
	const sum = merged.reduce((total, { weight }) => total + weight, 0)
	const exact = merged.map(({ target, weight }) => ({ target, numerator: weight * wholePpm, denominator: sum }))
	return apportion(exact)
}

/**
 * The shares at a point between two splits: `from` + `numerator` / `denominator` × (`to` − `from`). Both ends are exact.
 * @param numerator 0 … denominator
 */
export function splitBetween(from: Split, to: Split, numerator: number, denominator: number): Split {
	const exact = unionOfTargets(from, to).map((target) => {
		const start = shareOf(from, target)
		const end = shareOf(to, target)
		return { target, numerator: start * denominator + (end - start) * numerator, denominator }
	})
	return apportion(exact)
}

/** Largest remainder; among equal remainders the earlier target in key order gains. */
function apportion(exact: readonly { target: Target; numerator: number; denominator: number }[]): Split {
	const sorted = exact
		.map(({ target, numerator, denominator }) => ({
			target,
			floor: Math.floor(numerator / denominator),
			remainder: (numerator % denominator) / denominator,
		}))
		.sort((left, right) => compareTargets(left.target, right.target))
	let missing = wholePpm - sorted.reduce((total, { floor }) => total + floor, 0)
	const order = sorted
		.map((_, index) => index)
		.sort((left, right) => remainderAt(right) - remainderAt(left) || left - right)
	const gains = new Set<number>()
	for (const index of order) {
		if (missing <= 0) break
		gains.add(index)
		missing -= 1
	}
	return sorted.map(({ target, floor }, index) => ({ ...target, sharePpm: floor + (gains.has(index) ? 1 : 0) }))

	function remainderAt(index: number): number {
		return sorted[index]?.remainder ?? 0
	}
}

/** All targets of both, each once, in key order. */
export function unionOfTargets(left: readonly Target[], right: readonly Target[]): Target[] {
	const targets = new Map<string, Target>()
	for (const { virtualNode, port } of [...left, ...right])
		targets.set(targetKey({ virtualNode, port }), { virtualNode, port })
	return [...targets.values()].sort(compareTargets)
}

/** A target's share in ppm; 0 when the split does not name it. */
export function shareOf(split: Split, target: Target): number {
	return split.find((member) => isSameTarget(member, target))?.sharePpm ?? 0
}

/** The share that some targets have together, in ppm. */
export function shareOfAll(split: Split, targets: readonly Target[]): number {
	return targets.reduce((total, target) => total + shareOf(split, target), 0)
}

/** True when every target has the same share in both; targets without a share do not count. */
export function isSameSplit(left: Split, right: Split): boolean {
	return (
		left === right || unionOfTargets(left, right).every((target) => shareOf(left, target) === shareOf(right, target))
	)
}

export function isSameTarget(left: Target, right: Target): boolean {
	return left.virtualNode === right.virtualNode && left.port === right.port
}

/** `mesh/apps/virtualNode/serviceB:80`: names a target in state, looks and journals. */
export function targetKey(target: Target): string {
	return `${target.virtualNode}:${target.port}`
}

export function compareTargets(left: Target, right: Target): number {
	if (left.virtualNode !== right.virtualNode) return left.virtualNode < right.virtualNode ? -1 : 1
	return left.port - right.port
}

/** Percent for people: `25 %`, `0.1 %`, `12.3456 %`. */
export function formatShare(sharePpm: number): string {
	return `${Number((sharePpm / 10_000).toFixed(4))} %`
}

/** `serviceB 75 % · serviceBv2 25 %`; with its port where a node takes traffic on several, in `beside` or in the split. */
export function formatSplit(split: Split, beside: Split = []): string {
	const all = unionOfTargets(split, beside)
	const hasSeveral = (target: Target) => all.filter(({ virtualNode }) => virtualNode === target.virtualNode).length > 1
	const name = (target: Target) => nameOf(target.virtualNode) + (hasSeveral(target) ? `:${target.port}` : '')
	return split.map((member) => `${name(member)} ${formatShare(member.sharePpm)}`).join(' · ')
}

/** The last part of an id: a resource's own name. */
export function nameOf(id: string): string {
	return id.slice(id.lastIndexOf('/') + 1)
}

/** `mesh/apps/virtualRouter/b/route/r` → `mesh/apps/virtualRouter/b`. */
export function routerOf(route: string): string {
	return route.slice(0, route.indexOf('/route/'))
}

/** A split that leaves out who gets nothing: what two splits are compared by. */
export function withoutZeros(split: Split): readonly SplitTarget[] {
	return split.filter((member) => member.sharePpm > 0)
}
