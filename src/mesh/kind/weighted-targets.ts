import { type Declared, listenersOf } from '../declared.ts'
import { errorAt, type Finding, type Path, warningAt } from '../finding.ts'
import type { RouteWeightedTarget } from '../manifest.generated.ts'
import { resourceId } from '../mesh.ts'
import type { WeightedTarget } from '../route-spec.ts'

export type WrittenTargets = { readonly mesh: string; readonly targets: readonly RouteWeightedTarget[] }

/** A target's port is 0 where its node is not declared or has no listener: link.ts refuses both. */
export function readTargets({ mesh, targets }: WrittenTargets, declared: Declared): WeightedTarget[] {
	return targets.map(({ virtualNode, weight, port }) => {
		const id = resourceId.virtualNode(mesh, virtualNode)
		return { virtualNode: id, port: port ?? listenersOf(declared, id)[0]?.port ?? 0, weight }
	})
}

/** `at` is the list of targets. */
export function checkTargets(at: Path, { mesh, targets }: WrittenTargets, declared: Declared): readonly Finding[] {
	const findings: Finding[] = []
	if (targets.every((target) => target.weight === 0)) {
		const hint = 'give at least one target a weight above 0'
		findings.push(errorAt(at, 'SL0211', 'all weights are 0: the route would answer nothing', hint))
	}
	for (const [index, target] of targets.entries()) {
		findings.push(...checkWeight([...at, index, 'weight'], target.weight))
		const listeners = listenersOf(declared, resourceId.virtualNode(mesh, target.virtualNode))
		if (target.port !== undefined || listeners.length < 2) continue
		const message = `the virtual node ${target.virtualNode} has several listeners: the target must say its port`
		const hint = `add port: ${listeners.map(({ port }) => port).join(', or port: ')}`
		findings.push(errorAt([...at, index, 'virtualNode'], 'SL0304', message, hint))
	}
	return findings
}

function checkWeight(at: Path, weight: number): readonly Finding[] {
	if (weight <= 100) return []
	const message = `the weight ${weight} is above 100, which App Mesh documents as the most`
	return [warningAt(at, 'SL0215', message, 'weights are relative: only their ratio counts')]
}
