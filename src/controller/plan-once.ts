import type { Mesh } from '#mesh/mesh.ts'
import type { Plan } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'

/** By the mesh that is wanted, the newest. */
const plans = new WeakMap<Mesh, Plan>()

/** A plan costs the size of the mesh; most turns, and each status, ask about the same two meshes as the one before. */
export function planOnce(applied: Mesh, desired: Mesh): Plan {
	const known = plans.get(desired)
	if (known?.applied === applied.hash) return known
	const plan = planChanges(applied, desired)
	plans.set(desired, plan)
	return plan
}
