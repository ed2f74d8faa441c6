import type { Mesh } from '#mesh/mesh.ts'
import type { Plan } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'

let lastPlan: { applied: string; desired: string; plan: Plan } | null = null

/** A plan costs the size of the mesh; most turns ask about the same two meshes as the turn before. */
export function planOnce(applied: Mesh, desired: Mesh): Plan {
	if (lastPlan?.applied === applied.hash && lastPlan.desired === desired.hash) return lastPlan.plan
	const plan = planChanges(applied, desired)
	lastPlan = { applied: applied.hash, desired: desired.hash, plan }
	return plan
}
