import { limits } from '#base/limits.ts'
import type { FleetFacts } from './fleet-facts.ts'
import { demandsCounters } from './guards-of-policy.ts'
import { clip } from './holds.ts'
import type { BackCause, Rollout } from './rollout.ts'
import { lostThreshold } from './thresholds.ts'

/** What the fleet itself says for a way back; null: nothing. */
export function backOfTurn(rollout: Rollout, facts: FleetFacts): BackCause | null {
	if (rollout.phase.kind === 'rollingBack' || rollout.step === -1) return null
	if (facts.foundBack) {
		return { by: 'restart', reason: 'after a restart, proxies were found at the last good shares', actor: 'sluice' }
	}
	if (facts.rejectedShare > limits.rejectedShare) {
		const first = facts.rejected[0]
		const words = first === undefined ? '' : `; ${first.proxy} says "${clip(first.text)}"`
		return {
			by: 'rejected',
			reason: `${facts.rejectedProxies} of ${facts.connected} proxies refused the step${words}`,
			actor: 'sluice',
		}
	}
	const lostCounters = demandsCounters(rollout.policy) && rollout.elapsed.sinceLookMs > limits.noEvidenceMs
	if (rollout.policy.onNoEvidence === 'rollBack' && lostCounters) {
		return { by: 'noEvidence', reason: `no fresh counters for ${limits.noEvidenceMs / 1000} s`, actor: 'sluice' }
	}
	const lost = lostThreshold(rollout)
	if (lost !== null) return { by: 'noEvidence', reason: lost, actor: 'sluice' }
	return null
}
