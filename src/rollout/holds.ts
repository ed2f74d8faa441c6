import { unreachable } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import { armsOfFour } from '#guard/arms.ts'
import { describeIncident } from '#guard/evidence-text.ts'
import { describeShare } from './describe-share.ts'
import type { FleetFacts } from './fleet-facts.ts'
import { requestsOfStep } from './front.ts'
import { demandsCounters } from './guards-of-policy.ts'
import { demandsOfStep, isWithoutShare } from './ladder.ts'
import type { Command, Hold, Rollout } from './rollout.ts'

// Why a rollout does not move. The fleet's reasons hold everyone, a person's `promote` included; the guard's reasons
// can be passed over by a person.

/** What of the fleet forbids a step forward. */
export function fleetHolds(facts: FleetFacts): Hold[] {
	const holds: Hold[] = facts.returning ? [returningHold] : []
	if (facts.connected === 0) {
		return [...holds, { code: 'NO_PROXY', text: 'no proxy that sends to this route is connected' }]
	}
	if (facts.rejectedProxies > 0) {
		const named = facts.rejected
			.slice(0, 1)
			.map(({ proxy, text, place }) => `${proxy}: "${clip(text)}"${place === '' ? '' : ` (probably ${place})`}`)
		holds.push({
			code: 'REJECTED',
			text: `${facts.rejectedProxies} of ${facts.connected} proxies refused it: ${named.join('; ')}`,
		})
	}
	if (facts.current < facts.connected - facts.rejectedProxies) {
		const missing = facts.connected - facts.rejectedProxies - facts.current
		holds.push({
			code: 'NOT_ACKED',
			text: `${missing} of ${facts.connected} proxies have not ACKed yet: ${nameFew(facts.pending)}`,
		})
	}
	// A proxy without an instance proves nothing by its presence: it takes the place of none that is gone.
	const present = Math.min(facts.connected, facts.expected - facts.gone.length)
	if (present < facts.expected * limits.connectedShare) {
		holds.push({
			code: 'PROXIES_MISSING',
			text: `${present} of ${facts.expected} expected proxies are connected; gone: ${nameFew(facts.gone.map(({ proxy }) => proxy))}`,
		})
	}
	for (const { proxy, target, host, why } of facts.notReady.slice(0, limits.holdNames)) {
		holds.push(readinessHold({ proxy, target, host, why }))
	}
	return holds
}

function readinessHold({ proxy, target, host, why }: FleetFacts['notReady'][number]): Hold {
	const subject = `${target} (${host})`
	switch (why) {
		case 'noHost':
			return { code: 'NOT_READY', text: `${proxy} has no healthy host for ${subject}` }
		case 'silent':
			return { code: 'SILENT', text: `${proxy} has not reported whether ${subject} has a healthy host` }
		case 'unwatched': {
			const wayOut = 'a policy for it has threshold guards only, or says unguarded'
			return { code: 'SILENT', text: `${proxy} is unwatched, it pushes no counters: ${wayOut}` }
		}
		default:
			return unreachable(why)
	}
}

/** What keeps a way back from being done. */
export function backHolds(facts: FleetFacts): Hold[] {
	const holds: Hold[] = facts.returning ? [returningHold] : []
	const { connected, current, stranded } = facts
	if (current + stranded.length < connected) {
		const text = `${current} of ${connected} proxies have confirmed; waiting for ${nameFew(facts.pending)}`
		holds.push({ code: 'NOT_ACKED', text })
	}
	if (stranded.length > 0) {
		const text = `last good has no healthy host at ${nameFew(stranded)}: not moved back there`
		holds.push({ code: 'LAST_GOOD_UNHEALTHY', text })
	}
	return holds
}

/** What keeps the next part of a ramp from being taken. */
export function rampHolds({ stranded }: FleetFacts, { isDurable }: { readonly isDurable: boolean }): Hold[] {
	const holds: Hold[] = []
	if (!isDurable) holds.push({ code: 'NOT_DURABLE', text: 'the store does not answer: the ramp waits' })
	if (stranded.length > 0) {
		const text = `last good has no healthy host at ${nameFew(stranded)}: the ramp waits`
		holds.push({ code: 'LAST_GOOD_UNHEALTHY', text })
	}
	return holds
}

const returningHold: Hold = {
	code: 'PROXIES_MISSING',
	text: `the daemon has just started: proxies have ${limits.bootHoldMs / 1000} s to come back`,
}

/** Holds are part of the state: a few names tell where to look, the rest is in the fleet's own view. */
function nameFew(names: readonly string[]): string {
	const more = names.length > limits.holdNames ? ', …' : ''
	return names.slice(0, limits.holdNames).join(', ') + more
}

/** Somebody else's words, as much of them as a rollout's state has room for. */
export function clip(text: string, most: number = limits.holdTextChars): string {
	return text.length <= most ? text : `${text.slice(0, most)}…`
}

/** Who asked, and why, as a rollout keeps it. */
export function clipCommand({ actor, reason }: Command): Command {
	return { actor, reason: clip(reason, limits.commandTextChars) }
}

/** Holds as they are kept: together they take no more of a rollout's state than is set aside for them. */
export function clipHolds(holds: readonly Hold[]): Hold[] {
	const each = Math.floor(limits.holdsChars / Math.max(1, holds.length))
	const whole = holds.reduce((sum, { text }) => sum + text.length, 0) <= limits.holdsChars
	return whole ? [...holds] : holds.map(({ code, text }) => ({ code, text: clip(text, each) }))
}

/** Both arms fail alike. It holds at once, and before the first step too: whoever begins then begins with a failure. */
export function incidentHolds({ guard: { incident } }: Rollout): Hold[] {
	if (incident.kind === 'none') return []
	return [
		{
			code: 'SHARED_INCIDENT',
			text: `${describeIncident(armsOfFour(incident.shown))}; no step until the baseline is well`,
		},
	]
}

/** What of the evidence forbids the step that follows the one in force. Nothing is judged before the first step. */
export function evidenceHolds(rollout: Rollout): Hold[] {
	if (rollout.step === -1) return []
	const { verdict, elapsed } = rollout
	if (!demandsCounters(rollout.policy)) return requestHolds(rollout)
	if (elapsed.sinceLookMs > limits.freshLookMs) {
		return [{ code: 'NO_EVIDENCE', text: `no fresh counters for ${Math.round(elapsed.sinceLookMs / 1000)} s` }]
	}
	if (verdict === null) return [{ code: 'NO_EVIDENCE', text: 'no look at this step yet' }]
	if (!rollout.guard.fresh) {
		return [{ code: 'SILENT', text: `proxies without fresh counters: ${rollout.guard.silent.join(', ')}` }]
	}
	if (isWithoutShare(rollout)) return requestHolds(rollout)
	if (verdict.kind !== 'hold' || verdict.code === 'SHARED_INCIDENT') return requestHolds(rollout)
	if (verdict.code === 'MORE_REQUESTS' && hasWatchedEnough(rollout)) return requestHolds(rollout)
	return [{ code: verdict.code, text: verdict.reason }]
}

function requestHolds(rollout: Rollout): Hold[] {
	const { minRequests } = demandsOfStep(rollout)
	const requests = requestsOfStep(rollout)
	if (requests < minRequests) {
		const text = `${requests} of ${minRequests} canary requests ${describeShare(rollout, rollout.step)}`
		return [{ code: 'MORE_REQUESTS', text }]
	}
	return []
}

/**
 * Waves go out to proxies that may hardly have traffic, or nobody to be compared with: without a proof they are watched
 * twice as long, and whatever speaks against them still takes them back (rules §4.2). However short that is, the guard
 * has had the looks that it takes to speak: one says little, and one of the warm-up nothing.
 */
function hasWatchedEnough(rollout: Rollout): boolean {
	if (rollout.wave === null || rollout.guard.stepStartDue) return false
	const { minDurationMs, warmUpMs } = demandsOfStep(rollout)
	return rollout.elapsed.stepMs >= Math.max(2 * minDurationMs, warmUpMs + limits.waveWatchedMs)
}

/** A person has to say that the step may end. */
export function gateHolds(rollout: Rollout): Hold[] {
	if (demandsOfStep(rollout).gate === 'none' || rollout.approval !== null) return []
	return [
		{ code: 'GATE', text: `step ${rollout.step + 1} ends when somebody says so: sluice rollout approve ${rollout.id}` },
	]
}
