import { hashValue } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { Shift, ShiftGroup } from './plan.ts'
import { routerOf, unionOfTargets, withoutZeros } from './split.ts'

/**
 * Which shifts are one rollout: those of one virtual router with the same rising targets under the same policy, whatever
 * shares they come from and go to. Connections are not counted together with requests, and a policy may split. By their
 * first routes.
 */
export function joinShifts(shifts: readonly Shift[]): ShiftGroup[] {
	const joined = new Map<string, Shift[]>()
	for (const shift of shifts.toSorted((left, right) => (left.route < right.route ? -1 : 1))) {
		const key = groupKeyOf(shift)
		const known = joined.get(key)
		if (known === undefined) joined.set(key, [shift])
		else known.push(shift)
	}
	return [...joined.values()].flatMap(asManyAsFit)
}

/** Several of whatever makes them one rollout; null where these shifts are not one. */
export function groupOf(shifts: readonly Shift[]): ShiftGroup | null {
	const [group, ...others] = joinShifts(shifts)
	return group === undefined || others.length > 0 ? null : group
}

/** What its rollout is called, but for the number: `router/route`, of several routes the `router` that they have in common. */
export function nameOfGroup({ shifts: [{ route }, ...others] }: ShiftGroup): string {
	const [, , , router, , name] = route.split('/')
	return others.length === 0 ? `${router}/${name}` : `${router}`
}

function groupKeyOf({ route, rising, unit, policy }: Shift): string {
	if (policy.group === 'split') return route
	// That two policies say the same for different routes is no difference.
	return hashValue([routerOf(route), unit, rising, { ...policy, match: null }])
}

/** A rollout's state is bounded, and so are the routes of one. */
function asManyAsFit(shifts: readonly Shift[]): ShiftGroup[] {
	const rollouts: [Shift, ...Shift[]][] = []
	let chars = 0
	let shares = new Set<string>()
	for (const shift of shifts) {
		const last = rollouts.at(-1)
		const own = sharesKey(shift)
		const more = shift.route.length + (shares.has(own) ? 0 : own.length)
		if (last !== undefined && last.length < limits.groupRoutes && chars + more <= limits.groupChars) {
			last.push(shift)
			chars += more
			shares.add(own)
			continue
		}
		rollouts.push([shift])
		chars = shift.route.length + own.length
		shares = new Set([own])
	}
	return rollouts.map((members) => {
		const [{ rising, policy }] = members
		const falling = members.map((member) => member.falling).reduce(unionOfTargets)
		return { shifts: members, rising, falling, policy, overflow: shifts.length - members.length }
	})
}

function sharesKey({ before, after }: Shift): string {
	return JSON.stringify([withoutZeros(before), withoutZeros(after)])
}
