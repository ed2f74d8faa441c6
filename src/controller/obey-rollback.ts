import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, ResourceId } from '#mesh/mesh.ts'
import { formatSplit, nameOf, withoutZeros } from '#plan/split.ts'
import { describeLanes } from '#rollout/describe-step.ts'
import {
	type BackCause,
	isRunning,
	type Lane,
	type LaneRoute,
	laneOf,
	type Rollout,
	routesOf,
} from '#rollout/rollout.ts'
import { takeBackEnded } from '#rollout/take-back-ended.ts'
import { lanesInForce, routesBefore } from './before-rollout.ts'
import type { CommandReply, Refusal, RollbackCommand } from './commands.ts'
import { aimOfDraft, appliedMesh, apply, type Draft, happen, journal, replaceRollout } from './draft.ts'
import { findScope } from './find-scope.ts'
import { planOnce } from './plan-once.ts'

/**
 * Back to the last good shares of a route: the rollout that runs is aborted, or the last one is taken back although it
 * has succeeded, with all of its routes that still have what it brought. It asks neither Git nor the guard, and waits for
 * neither the store nor a proxy.
 */
export function rollback(draft: Draft, { scope, actor, reason }: RollbackCommand): CommandReply {
	const found = findScope(draft, scope)
	if (found.kind === 'refused') return found
	const route = found.scope ?? ''
	const ofRoute = draft.state.rollouts.filter((rollout) => laneOf(rollout, route) !== null)
	const rollout = ofRoute.find(isRunning) ?? ofRoute.at(-1)
	if (rollout === undefined)
		return refuse(`no rollout of it is remembered: the journal has what was before; change the weights in Git`)
	switch (rollout.phase.kind) {
		case 'rollingBack':
			return refuse(`${rollout.id} goes back already`)
		case 'rolledBack':
		case 'aborted':
			return refuse(`${rollout.id} went back: the last good shares are in force, ${describeGood(rollout.lanes)}`)
		case 'succeeded':
			return takeBack(draft, { rollout, route, cause: { by: 'rollback', actor, reason } })
		default:
			happen(draft, rollout.id, { kind: 'abort', command: { actor, reason } })
			return { kind: 'done', text: `${rollout.id} goes back to ${describeGood(rollout.lanes)}` }
	}
}

/**
 * It had succeeded, a person took it back, and the daemon died before that was stored: what proxies were found to hold
 * is what is left of it. Nothing happens where Git has moved on.
 */
export function takeBackFound(draft: Draft, id: string): void {
	const rollout = draft.state.rollouts.find((one) => one.id === id)
	if (rollout?.phase.kind !== 'succeeded') return
	const newest = (route: ResourceId) => draft.state.rollouts.findLast((one) => laneOf(one, route) !== null)
	const route = routesOf(rollout).find((one) => newest(one) === rollout)
	if (route === undefined) return
	const reason = 'after a restart, proxies were found at the shares before it: it had been taken back'
	takeBack(draft, { rollout, route, cause: { by: 'restart', actor: 'sluice', reason } })
}

/** `route`: the one that is asked for. */
type TakeBack = { readonly rollout: Rollout; readonly route: string; readonly cause: BackCause }

function takeBack(draft: Draft, { rollout, route, cause }: TakeBack): CommandReply {
	const applied = appliedMesh(draft)
	const [first, ...others] = applied === null ? [] : lanesInForce(rollout, draft.state.rollouts, applied)
	if (applied === null || first === undefined || laneOf({ lanes: [first, ...others] }, route) === null)
		return refuse(`the shares in force are not those of ${rollout.id}, so what was before it is no way back`)
	const mesh = composeMesh({ ...applied.resources, ...routesBefore([first, ...others], applied) })
	const [broken] = findBrokenLinks(mesh.resources)
	if (broken !== undefined) {
		const what =
			broken.missing === null ? 'what it leads to has changed' : `${nameOf(broken.missing)} is there no longer`
		return refuse(`before ${rollout.id} it had ${describeGood([first, ...others])}, and ${what}: restore it in Git`)
	}
	apply(draft, mesh)
	const asked = askedKeys(draft, mesh)
	const withKeys = ({ routes: [head, ...tail], ...way }: Lane): Lane => {
		const withKey = ({ id, key }: LaneRoute) => ({ id, key: asked.get(id) ?? key })
		return { ...way, routes: [withKey(head), ...tail.map(withKey)] }
	}
	const { rollout: back, notes } = takeBackEnded(rollout, cause, [withKeys(first), ...others.map(withKeys)])
	replaceRollout(draft, back)
	for (const note of notes) journal(draft, { ...note, rollout: back.id })
	return { kind: 'done', text: `${back.id} is taken back to ${describeGood(back.lanes)}` }
}

function describeGood(lanes: readonly Lane[]): string {
	return describeLanes(lanes, ({ good }) => formatSplit(withoutZeros(good)))
}

/** By route: what Git asks for here by now, which may be more than the rollout brought. That must not start by itself. */
function askedKeys(draft: Draft, applied: Mesh): ReadonlyMap<ResourceId, string> {
	const aim = aimOfDraft(draft)
	if (aim === null) return new Map()
	const shifts = planOnce(applied, aim.mesh).changes.filter((change) => change.kind === 'shift')
	return new Map(shifts.map(({ route, quarantineKey }) => [route, quarantineKey]))
}

function refuse(text: string): Refusal {
	return { kind: 'refused', code: 'NOT_POSSIBLE', text }
}
