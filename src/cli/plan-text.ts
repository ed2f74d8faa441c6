import type { PlannedChange, PlanPreview } from '#controller/preview.ts'
import { nameOf, routerOf } from '#plan/split.ts'
import { formatDuration } from './parse-duration.ts'
import { renderOutlook, renderStepTime } from './plan-outlook-text.ts'
import { toPrintable } from './printable.ts'
import { type Paint, paintFor } from './terminal.ts'

type ResourceDifference = PlanPreview['resources']['cluster']

/** A plan as people read it; its last line is the whole in short. */
export function renderPlan(preview: PlanPreview, { color }: { readonly color: boolean }): string {
	const paint = paintFor(color)
	const against = preview.base === null ? 'an empty mesh' : preview.base
	const blocks = [
		toPrintable(`Compared with ${against}:`),
		...(preview.phases.length === 0 ? renderChanges(preview.changes, paint) : renderPhases(preview.phases, paint)),
		...renderResources(preview, paint),
		paint.bold(summaryOf(preview)),
	]
	return preview.changes.length === 0 ? paint.bold(summaryOf(preview)) : blocks.join('\n')
}

function renderChanges(changes: readonly PlannedChange[], paint: Paint): string[] {
	return changes.map((change) => renderChange(change, paint))
}

function renderPhases(phases: PlanPreview['phases'], paint: Paint): string[] {
	const head = `Both ends must agree on a part of it, so it goes out in ${phases.length} phases, each when every proxy has confirmed the one before:`
	const blocks = phases.flatMap(({ phase, changes }, index) => {
		return [paint.bold(`  ${index + 1}. ${phaseNotes[phase]}`), ...renderChanges(changes, paint)]
	})
	return [head, ...blocks]
}

const phaseNotes: Readonly<Record<PlanPreview['phases'][number]['phase'], string>> = {
	widen: 'widen: servers take the old and the new',
	switch: 'switch: callers change',
	whole: 'narrow: the old is taken no more',
}

function renderChange(change: PlannedChange, paint: Paint): string {
	switch (change.kind) {
		case 'prepare':
			return `  ${paint.green('prepare')}  ${change.action} ${shortName(change.resource)}${change.reason === null ? '' : `: ${toPrintable(change.reason)}`}`
		case 'replace':
			return `  ${paint.yellow('replace')}  ${change.action} ${shortName(change.resource)}: ${toPrintable(change.reason)}${change.when === 'confirmed' ? confirmedNote : ''}${wavesNote(change)}`
		case 'remove':
			return `  ${paint.red('remove ')}  ${shortName(change.resource)}, when nothing holds it any more`
		case 'shift':
			return renderShift(change, paint)
	}
}

const confirmedNote = '; after every proxy has confirmed what is in force'

function wavesNote({ waves }: Extract<PlannedChange, { kind: 'replace' }>): string {
	if (waves === null) return ''
	const parts = ['one proxy', ...waves.sharesPpm.map((share) => `${share / 10_000} %`), 'all']
	const twice = formatDuration(2 * waves.minDurationMs)
	return `; by waves over its proxies: ${parts.join(', ')}, each watched for at least ${formatDuration(waves.minDurationMs)}, ${twice} where nothing can be compared`
}

const connectionsNote =
	'             TCP: the weights hold for new connections; at each step the open ones have the drain time to end'

type Shift = Extract<PlannedChange, { kind: 'shift' }>
type Lane = Shift['lanes'][number]

function renderShift(change: Shift, paint: Paint): string {
	const steps = change.steps.map((step, index) => {
		const demands = [
			...(step.mirrorPpm > 0
				? [`copies of ${step.mirrorPpm / 10_000} % of the requests, whose answers nobody waits for`]
				: []),
			durationText(step),
			...(step.kind === 'holdBack' ? ['the old version is held back meanwhile'] : []),
			...(step.minRequests > 0 ? [`${step.minRequests} canary ${change.unit}`] : []),
			...(step.gate === 'person' ? ['until a person approves'] : []),
			...proofNote(step.proofRequests, change.unit),
		]
		return `             ${index + 1}. ${toPrintable(step.shares)}: ${demands.join(', ')}${renderStepTime(change, index)}`
	})
	const outlook = renderOutlook(change).map((line) => `             ${line}`)
	const guarded = `             guarded by ${toPrintable(change.guardedBy)}`
	const front =
		change.front === null
			? []
			: [`             in front, whatever the weights, from the first step to the end: ${toPrintable(change.front)}`]
	const users = change.users === null ? [] : [`             users are ${toPrintable(change.users)}`]
	const notes = [
		...front,
		...users,
		...(change.unit === 'connections' ? [connectionsNote] : []),
		...clustersNote(change),
	]
	return [...renderWays(change, paint), guarded, ...notes, ...steps, ...outlook].join('\n')
}

/** What shifts from where to where: one line of a route, several of routes that are one rollout. */
function renderWays({ lanes, overflow }: Shift, paint: Paint): string[] {
	const way = ({ before, after }: Lane) => `${toPrintable(before)} ${paint.bold('→')} ${toPrintable(after)}`
	const routes = lanes.flatMap((lane) => lane.routes)
	const [only] = lanes
	const sign = `  ${paint.cyan('shift  ')}  `
	if (only !== undefined && routes.length === 1)
		return [`${sign}${routes.map(shortName).join()}: ${way(only)}`, ...more(overflow)]
	return [
		`${sign}${shortName(routerOf(routes[0] ?? ''))}, ${routes.length} routes as one rollout:`,
		...lanes.map((lane) => `             ${lane.routes.map(lastName).join(', ')}: ${way(lane)}`),
		...more(overflow),
	]
}

function more(overflow: number): string[] {
	if (overflow === 0) return []
	const routes =
		overflow === 1 ? 'route of its router is a rollout of its own' : 'routes of its router are rollouts besides'
	return [`             ${overflow} more ${routes}: there is no room for them in one`]
}

function lastName(id: string): string {
	return toPrintable(nameOf(id))
}

/** The bake of the last step may lie in the one before it. */
function durationText({ kind, minDurationMs }: Shift['steps'][number]): string {
	if (kind === 'last' && minDurationMs === 0) return 'until the first look'
	return `${kind === 'rise' ? 'at least' : 'watched'} ${formatDuration(minDurationMs)}`
}

function proofNote(requests: number | 'never' | null, unit: string): string[] {
	if (requests === null) return []
	if (requests === 'never') return [`HELD: with so many failures no number of canary ${unit} is proof enough`]
	return [`about ${requests} canary ${unit} for the proof`]
}

function clustersNote({ clusters }: Shift): string[] {
	switch (clusters.kind) {
		case 'theirs':
			return []
		case 'clones':
			return [`             clusters of its own while it lasts: ${whyOwn(clusters)}`]
		case 'shared':
			return [`             HELD before its first step: ${whyOwn(clusters)}, and ${toPrintable(clusters.problem)}`]
	}
}

type OwnClusters = Exclude<Shift['clusters'], { kind: 'theirs' }>

function whyOwn({ sharedWith, shares }: OwnClusters): string {
	const others = sharedWith.length === 0 ? [] : [`${sharersOf(sharedWith)} too`]
	return [...(shares === 'different' ? ['its routes have different shares'] : []), ...others].join(', and ')
}

function sharersOf(sharedWith: readonly string[]): string {
	const more = sharedWith.length - mostSharers
	const names = sharedWith.slice(0, mostSharers).map(shortName).join(', ')
	return `${names}${more > 0 ? ` and ${more} more` : ''} ${sharedWith.length === 1 ? 'leads' : 'lead'} to its targets`
}

const mostSharers = 3

function renderResources({ resources, identities }: PlanPreview, paint: Paint): string[] {
	const changed = Object.entries(resources).filter(([, difference]) => countOf(difference) > 0)
	if (changed.length === 0) return ['', 'Envoy resources: none changes at once.', '']
	const lines = changed.flatMap(([type, { added, changed: altered, removed }]) => [
		`  ${type.padEnd(8)} +${added.length} ~${altered.length} -${removed.length}`,
		...named(added, paint.green('+')),
		...named(altered, paint.yellow('~')),
		...named(removed, paint.red('-')),
	])
	return [
		'',
		`Envoy resources when all of it is in force (${identities.changed} of ${identities.total} identities):`,
		...lines,
		'',
	]
}

const mostNamed = 10

function named(names: readonly string[], sign: string): string[] {
	const lines = names.slice(0, mostNamed).map((name) => `    ${sign} ${toPrintable(name)}`)
	return names.length > mostNamed ? [...lines, `    ${sign} and ${names.length - mostNamed} more`] : lines
}

function countOf({ added, changed, removed }: ResourceDifference): number {
	return added.length + changed.length + removed.length
}

/** `Plan: 1 route shifts in 3 steps (at least 14s), 1 prepared, 0 replaced, 0 removals.` */
function summaryOf({ changes }: PlanPreview): string {
	if (changes.length === 0) return 'Plan: no changes.'
	const shifts = changes.filter((change) => change.kind === 'shift')
	const count = (kind: PlannedChange['kind']) => changes.filter((change) => change.kind === kind).length
	const steps = shifts.reduce((total, shift) => total + shift.steps.length, 0)
	const leastMs = Math.max(0, ...shifts.map((shift) => shift.leastMs))
	const routes = shifts.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.routes)).length
	const together =
		routes === shifts.length ? '' : ` by ${shifts.length} ${shifts.length === 1 ? 'rollout' : 'rollouts'}`
	const shifted =
		shifts.length === 0
			? '0 shifts'
			: `${routes} ${routes === 1 ? 'route shifts' : 'routes shift'}${together} in ${steps} steps (at least ${formatDuration(leastMs)})`
	const removals = count('remove')
	return `Plan: ${shifted}, ${count('prepare')} prepared, ${count('replace')} replaced, ${removals} ${removals === 1 ? 'removal' : 'removals'}.`
}

/** `virtualRouter/serviceB/route/serviceB`: an id without its mesh. */
function shortName(id: string): string {
	return toPrintable(id.replace(/^mesh\/[^/]+\/(?=.)/, ''))
}
