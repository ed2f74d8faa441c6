import { join } from 'node:path'
import { unreachable } from '#base/assert.ts'
import type {
	ChosenHost,
	Destination,
	DrawnBy,
	Explained,
	Hop,
	Outcome,
	RouteAction,
	RouteReference,
	TakenRoute,
	TriedRoute,
} from '#explain/explained.ts'
import { formatDuration } from './parse-duration.ts'
import { toPrintable } from './printable.ts'
import { type Paint, paintFor } from './terminal.ts'

export type ExplainTextOptions = {
	/** Key of the proxy whose ACKed configuration it is; null: it was worked out from what is written. */
	readonly asked: string | null
	/** Where the files of places lie, as seen from where the command runs. */
	readonly folder: string
	readonly color: boolean
}

type Style = { readonly paint: Paint; readonly folder: string }

/** What becomes of a request as people read it: first the answer, then the way that led to it. */
export function renderExplained(explained: Explained, { asked, folder, color }: ExplainTextOptions): string {
	const style: Style = { paint: paintFor(color), folder }
	const { paint } = style
	const { method, url } = explained.request
	const at = asked === null ? `at ${explained.proxy}` : `at ${asked}, by what it has ACKed`
	const blocks = [
		[`${paint.bold(toPrintable(`${method} ${url}`))} ${paint.dim(toPrintable(at))}`],
		[...answer(explained, style), ...explained.notes.map((note) => `  ${paint.yellow('note')}: ${toPrintable(note)}`)],
		...explained.hops.map((hop, index) => renderHop(hop, { title: titleOf(explained, index), style })),
	]
	return blocks.map((lines) => lines.join('\n')).join('\n\n')
}

function answer({ outcome, hops, advice }: Explained, style: Style): string[] {
	const { paint } = style
	const last = hops.at(-1)?.taken ?? null
	const text = toPrintable(answerText(outcome))
	const lines =
		outcome.kind === 'forwarded' && last !== null
			? [`${paint.green('✓')} ${paint.bold(text)}, by ${routeText(last, style)}`, ...demands(last.action)]
			: [`${isGood(outcome) ? paint.green('✓') : paint.red('✗')} ${paint.bold(text)}`]
	return advice === null ? lines : [...lines, `  ${paint.cyan('help')}: ${toPrintable(advice)}`]
}

function isGood({ kind }: Outcome): boolean {
	return kind === 'forwarded' || kind === 'tcp' || kind === 'passedThrough' || kind === 'responded'
}

function answerText(outcome: Outcome): string {
	switch (outcome.kind) {
		case 'forwarded':
			return `goes to ${destinationsText(outcome.destinations)}`
		case 'tcp':
			return `port ${outcome.port} speaks TCP: connections go to ${destinationsText(outcome.destinations)}; host and path do not count`
		case 'passedThrough':
			return 'is passed on as TCP to wherever it was going: no virtual service speaks for it, and the mesh allows that'
		case 'responded':
			return `the proxy answers ${outcome.status} by itself`
		case 'unknownHost':
			return '404: the proxy knows no such host'
		case 'noRoute':
			return '404: no route matches'
		case 'refused':
			return `${outcome.status}: ${outcome.reason}`
		case 'closed':
			return `the connection is closed: ${outcome.reason}`
		case 'unknown':
			return `not known: ${outcome.reason}`
	}
}

function destinationsText(destinations: readonly Destination[]): string {
	if (destinations.length === 0) return 'nowhere'
	return destinations.map((each) => `${nameOf(each)} ${each.sharePpm / 10_000} %`).join(', ')
}

function nameOf({ virtualNode, cluster }: Destination): string {
	return virtualNode?.split('/').at(-1) ?? cluster
}

function demands(action: RouteAction): string[] {
	if (action.kind !== 'forward') return []
	const { timeoutMs, idleTimeoutMs, retries } = action
	const parts = [
		timeoutMs === 0 ? 'no timeout' : `timeout ${formatDuration(timeoutMs)}`,
		...(idleTimeoutMs === null
			? []
			: [idleTimeoutMs === 0 ? 'no idle timeout' : `idle ${formatDuration(idleTimeoutMs)}`]),
	]
	if (retries === null) parts.push('no retries')
	else {
		const on = [...retries.on.filter((condition) => condition !== 'retriable-status-codes'), ...retries.statusCodes]
		const per = retries.perTryTimeoutMs === null ? '' : ` of ${formatDuration(retries.perTryTimeoutMs)} each`
		parts.push(`up to ${retries.count} ${retries.count === 1 ? 'retry' : 'retries'}${per} on ${on.join(', ')}`)
	}
	const copies = action.copies.map(
		(each) => `  copies of ${each.sharePpm / 10_000} % go to ${nameOf(each)}, whose answers nobody waits for`,
	)
	return [`  ${parts.join('; ')}`, ...drawnText(action.drawnBy), ...copies.map(toPrintable)]
}

function drawnText(by: DrawnBy | null): string[] {
	if (by === null) return []
	const what = toPrintable(`${by.kind} ${by.name}`)
	switch (by.found) {
		case 'one':
			return [
				`  drawn by ${what}: whoever sends this value goes there, while the route is under rollout and these weights hold`,
			]
		case 'none':
			return [`  by chance, since there is no ${what}: with one, all requests of a user go to the same`]
		case 'several':
			return [
				`  ${what} is there more than once: all requests like this one go to the same, and which is not known here`,
			]
		default:
			return unreachable(by.found)
	}
}

function routeText(route: RouteReference, style: Style): string {
	const what = route.resource?.includes('/gatewayRoute/') ? 'gateway route' : 'route'
	const place = placeText(route, style)
	const at = place === '' ? '' : ` ${style.paint.dim(`(${place})`)}`
	if (route.frontOf !== null)
		return `what is in front of the route ${toPrintable(route.name)} while it is under rollout${at}`
	return route.name === '' ? `the service's provider itself${at}` : `the ${what} ${toPrintable(route.name)}${at}`
}

function placeText({ place }: RouteReference, { folder }: Style): string {
	return place === null ? '' : toPrintable(`${join(folder, place.file)}:${place.line}`)
}

function titleOf({ hops, proxy }: Explained, index: number): string {
	if (!proxy.includes('/virtualGateway/')) return 'Why'
	if (index === 0) return hops.length > 1 ? '1. In by the gateway' : 'In by the gateway'
	return "2. Out of the gateway, by the virtual service's routes"
}

const mostTried = 20

function renderHop(hop: Hop, { title, style }: { readonly title: string; readonly style: Style }): string[] {
	const { paint } = style
	const { tried, taken } = hop
	const shown = tried.slice(0, mostTried)
	const width = Math.min(
		40,
		Math.max(...[...shown, ...(taken === null ? [] : [taken])].map((route) => shownName(route).length), 0),
	)
	const hidden = tried.length - shown.length
	return [
		`${paint.bold(title)}  ${paint.dim(toPrintable(`${hop.listener} port ${hop.port} → ${hop.routes}`))}`,
		...(hop.pathBefore === null
			? []
			: [`  path ${toPrintable(hop.pathBefore)} is made plain: ${toPrintable(hop.path)}`]),
		`  host ${toPrintable(hop.authority)}: ${hostText(hop.virtualHost)}`,
		...shown.map((route) => triedLine(route, { width, style })),
		...(hidden === 0 ? [] : [`  ${paint.dim(`… and ${hidden} more that do not match`)}`]),
		...(taken === null ? [] : takenLines(taken, { width, style, hop })),
	]
}

function hostText(host: ChosenHost | null): string {
	if (host === null) return 'no virtual host has it'
	return toPrintable(
		host.domain === '*' ? `virtual host ${host.name}, which takes every host` : `virtual host ${host.name}`,
	)
}

type LineOptions = { readonly width: number; readonly style: Style }

function triedLine(route: TriedRoute, { width, style }: LineOptions): string {
	const [first, ...others] = route.failed
	const more = others.length === 0 ? '' : ` (and ${others.length} more)`
	const found = first === undefined || first.found === null ? 'not there' : `"${first.found}"`
	const why = first === undefined ? '' : `${first.name} is ${found}; wanted: ${first.wanted}${more}`
	return line(style.paint.red('✗'), { route, width, style, text: why })
}

function takenLines(taken: TakenRoute, { width, style, hop }: LineOptions & { readonly hop: Hop }): string[] {
	const why = taken.conditions.map(({ name, wanted }) => `${name} ${wanted}`).join(', ')
	const { action } = taken
	const isRewritten = action.kind === 'forward' && (action.authority !== null || action.path !== null)
	const sentOn = isRewritten ? `${action.authority ?? hop.authority} ${action.path ?? hop.path}` : null
	return [
		line(style.paint.green('✓'), { route: taken, width, style, text: why }),
		...(sentOn === null ? [] : [`  sent on as ${toPrintable(sentOn)}`]),
		...(action.kind === 'forward' ? action.headersSet : []).map(
			({ name, value }) => `  with ${toPrintable(`${name}: ${value}`)}`,
		),
	]
}

function line(
	mark: string,
	{ route, width, style, text }: LineOptions & { route: RouteReference; text: string },
): string {
	const place = placeText(route, style)
	const name = toPrintable(shownName(route)).padEnd(width)
	return `  ${mark} ${name}  ${toPrintable(text)}${place === '' ? '' : `  ${style.paint.dim(place)}`}`
}

function shownName({ name, frontOf }: RouteReference): string {
	if (frontOf !== null) return `${name} (in front)`
	return name === '' ? '-' : name
}
