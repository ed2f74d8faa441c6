import { limits } from '#base/limits.ts'
import { formatShare } from '#plan/split.ts'
import { demandsOfStep } from './ladder.ts'
import type { FleetFacts, Hold, Rollout } from './rollout.ts'

// Why a rollout does not move. The fleet's reasons hold everyone, a person's `promote` included; the guard's reasons
// can be passed over by a person.

/** What of the fleet forbids a step forward. */
export function fleetHolds(facts: FleetFacts): Hold[] {
	const holds: Hold[] = []
	if (facts.connected === 0) {
		return [{ code: 'NO_PROXY', text: 'no proxy that sends to this route is connected' }]
	}
	if (facts.rejectedProxies > 0) {
		const named = facts.rejected.map(
			({ proxy, text, place }) => `${proxy}: "${text}"${place === '' ? '' : ` (probably ${place})`}`,
		)
		holds.push({
			code: 'REJECTED',
			text: `${facts.rejectedProxies} of ${facts.connected} proxies refused it: ${named.join('; ')}`,
		})
	}
	if (facts.current < facts.connected - facts.rejectedProxies) {
		const missing = facts.connected - facts.rejectedProxies - facts.current
		holds.push({
			code: 'NOT_ACKED',
			text: `${missing} of ${facts.connected} proxies have not ACKed yet: ${facts.pending.join(', ')}`,
		})
	}
	if (facts.connected < facts.expected * limits.connectedShare) {
		const gone = facts.gone.map(({ proxy }) => proxy).join(', ')
		holds.push({
			code: 'PROXIES_MISSING',
			text: `${facts.connected} of ${facts.expected} expected proxies are connected; gone: ${gone}`,
		})
	}
	for (const { proxy, target, host, why } of facts.notReady) {
		if (why === 'noHost')
			holds.push({ code: 'NOT_READY', text: `${proxy} has no healthy host for ${target} (${host})` })
		else
			holds.push({ code: 'SILENT', text: `${proxy} has not reported whether ${target} (${host}) has a healthy host` })
	}
	return holds
}

/** What of the evidence forbids the step that follows the one in force. Nothing is judged before the first step. */
export function evidenceHolds(rollout: Rollout): Hold[] {
	if (rollout.step === -1) return []
	const { verdict, elapsed } = rollout
	if (elapsed.sinceLookMs > limits.freshLookMs) {
		return [{ code: 'NO_EVIDENCE', text: `no fresh counters for ${Math.round(elapsed.sinceLookMs / 1000)} s` }]
	}
	if (verdict === null) return [{ code: 'NO_EVIDENCE', text: 'no look at this step yet' }]
	if (!rollout.guard.fresh) {
		return [{ code: 'SILENT', text: `proxies without fresh counters: ${rollout.guard.silent.join(', ')}` }]
	}
	if (verdict.kind === 'hold') return [{ code: 'MORE_REQUESTS', text: verdict.reason }]
	const { minRequests } = demandsOfStep(rollout)
	if (rollout.guard.stepRequests < minRequests) {
		const text = `${rollout.guard.stepRequests} of ${minRequests} canary requests at ${formatShare(rollout.stepsPpm[rollout.step] ?? 0)}`
		return [{ code: 'MORE_REQUESTS', text }]
	}
	return []
}
