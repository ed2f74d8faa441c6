import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, ResourceId, Route } from '#mesh/mesh.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { formatSplit, isSameSplit, nameOf, splitOfRoute, withoutZeros } from '#plan/split.ts'
import { type BackCause, isRunning, type Rollout } from '#rollout/rollout.ts'
import { takeBackEnded } from '#rollout/take-back-ended.ts'
import { routeWithTargets } from './apply-at-once.ts'
import type { CommandReply, Refusal, RollbackCommand } from './commands.ts'
import { aimOfDraft, appliedMesh, apply, type Draft, happen, journal, replaceRollout } from './draft.ts'
import { findScope } from './find-scope.ts'

/**
 * Back to the last good shares of a route: the rollout that runs is aborted, or the last one is taken back although it
 * has succeeded. It asks neither Git nor the guard, and waits for neither the store nor a proxy.
 */
export function rollback(draft: Draft, { scope, actor, reason }: RollbackCommand): CommandReply {
	const found = findScope(draft, scope)
	if (found.kind === 'refused') return found
	const ofRoute = draft.state.rollouts.filter(({ route }) => route === found.scope)
	const rollout = ofRoute.find(isRunning) ?? ofRoute.at(-1)
	if (rollout === undefined)
		return refuse(`no rollout of it is remembered: the journal has what was before; change the weights in Git`)
	switch (rollout.phase.kind) {
		case 'rollingBack':
			return refuse(`${rollout.id} goes back already`)
		case 'rolledBack':
		case 'aborted':
			return refuse(`${rollout.id} went back: the last good shares are in force, ${formatSplit(rollout.good)}`)
		case 'succeeded':
			return takeBack(draft, rollout, { by: 'rollback', actor, reason })
		default:
			happen(draft, rollout.id, { kind: 'abort', command: { actor, reason } })
			return { kind: 'done', text: `${rollout.id} goes back to ${formatSplit(withoutZeros(rollout.good))}` }
	}
}

/**
 * It had succeeded, a person took it back, and the daemon died before that was stored: what proxies were found to hold
 * is what is left of it. Nothing happens where Git has moved on.
 */
export function takeBackFound(draft: Draft, id: string): void {
	const rollout = draft.state.rollouts.find((one) => one.id === id)
	const newest = draft.state.rollouts.findLast(({ route }) => route === rollout?.route)
	if (rollout?.phase.kind !== 'succeeded' || newest !== rollout) return
	const reason = 'after a restart, proxies were found at the shares before it: it had been taken back'
	takeBack(draft, rollout, { by: 'restart', actor: 'sluice', reason })
}

function takeBack(draft: Draft, rollout: Rollout, cause: BackCause): CommandReply {
	const applied = appliedMesh(draft)
	const route = applied?.resources[rollout.route]
	if (applied === null || route?.kind !== 'Route' || !isSameSplit(splitOfRoute(route), rollout.target))
		return refuse(`the shares in force are not those of ${rollout.id}, so what was before it is no way back`)
	const mesh = composeMesh({ ...applied.resources, [route.id]: routeBefore(route, rollout) })
	const [broken] = findBrokenLinks(mesh.resources)
	if (broken !== undefined) {
		const what =
			broken.missing === null ? 'what it leads to has changed' : `${nameOf(broken.missing)} is there no longer`
		return refuse(
			`before ${rollout.id} it had ${formatSplit(withoutZeros(rollout.good))}, and ${what}: restore it in Git`,
		)
	}
	apply(draft, mesh)
	const { rollout: back, notes } = takeBackEnded(rollout, cause, askedKey(draft, mesh, route.id))
	replaceRollout(draft, back)
	for (const note of notes) journal(draft, { ...note, rollout: back.id })
	return { kind: 'done', text: `${back.id} is taken back to ${formatSplit(withoutZeros(back.good))}` }
}

/** A route as it is once a rollout that has succeeded is taken back. */
export function routeBefore(route: Route, { good }: Rollout): Route {
	const targets = withoutZeros(good).map(({ virtualNode, port, sharePpm }) => ({ virtualNode, port, weight: sharePpm }))
	return routeWithTargets(route, targets)
}

/** What Git asks for here by now, which may be more than the rollout brought: that must not start again by itself. */
function askedKey(draft: Draft, applied: Mesh, route: ResourceId): string | null {
	const aim = aimOfDraft(draft)
	if (aim === null) return null
	const shift = planChanges(applied, aim.mesh).changes.find(
		(change) => change.kind === 'shift' && change.route === route,
	)
	return shift?.kind === 'shift' ? shift.quarantineKey : null
}

function refuse(text: string): Refusal {
	return { kind: 'refused', code: 'NOT_POSSIBLE', text }
}
