import type { GroupStatus, Headline, Status } from '#controller/status.ts'
import { nameOf } from '#plan/split.ts'
import { describeExclusion } from './describe-exclusion.ts'
import { formatDuration } from './parse-duration.ts'
import { toPrintable } from './printable.ts'
import { renderDiagnostic } from './render-diagnostic.ts'
import { type Paint, paintFor } from './terminal.ts'

// A status as people read it. A sign always stands with its word, so that nothing is said by colour alone.

type Rollout = Status['rollouts'][number]

export function renderStatus(status: Status, { color }: { readonly color: boolean }): string {
	const paint = paintFor(color)
	const running = status.rollouts.filter(({ endedAt }) => endedAt === null)
	const ended = status.rollouts.filter(({ endedAt }) => endedAt !== null)
	return [
		`${signOf(status.headline.level, paint)} ${paint.bold(toPrintable(status.headline.text))}`,
		'',
		...renderSource(status),
		...renderRefused(status, color),
		...section(
			'Running',
			running.map((rollout) => renderRollout(rollout, paint)),
		),
		...section(
			'Ended',
			ended.slice(0, 5).map((rollout) => renderRolloutRow(rollout, paint)),
		),
		...section(
			'Frozen',
			status.freezes.map(({ text, since }) => toPrintable(`  ${text} (since ${ago(since, status.time)})`)),
		),
		...section(
			'Held back',
			status.heldBack.map(({ kind, resource, reason }) => toPrintable(`  ${kind} ${resource}: ${reason}`)),
		),
		...section(
			'To be removed',
			status.pendingRemovals.map(({ resource, reason }) => toPrintable(`  ${resource}: ${reason}`)),
		),
		...section('Discovery', status.discovery.map(renderTrouble)),
		...section(
			'Excluded',
			status.excluded.map((one) =>
				toPrintable(
					`  ${one.proxy} ${describeExclusion(one)}${one.version === '' ? '' : `; last held ${one.version}`}`,
				),
			),
		),
		...section(
			'Proxies',
			status.groups.length === 0
				? ['  none has connected']
				: status.groups.flatMap((group) => renderGroup(group, paint)),
		),
	].join('\n')
}

function signOf(level: Headline['level'], paint: Paint): string {
	switch (level) {
		case 'settled':
			return paint.green('✓ SETTLED')
		case 'moving':
			return paint.cyan('▶ MOVING')
		case 'held':
			return paint.yellow('‖ HELD')
		case 'attention':
			return paint.red('✗ ATTENTION')
	}
}

function section(title: string, lines: readonly string[]): string[] {
	return lines.length === 0 ? [] : ['', title, ...lines]
}

function renderSource({ source, accepted, durable, storeFailure, time }: Status): string[] {
	const age = source.lastSuccess === null ? 'never read' : `read ${ago(source.lastSuccess, time)}`
	const lines = [`source    ${source.kind}, ${age}${source.text === '' ? '' : `: ${source.text}`}`]
	if (accepted !== null) {
		lines.push(
			`revision  ${accepted.id} ${JSON.stringify(accepted.message)} by ${accepted.author}, accepted ${ago(accepted.acceptedAt, time)}`,
		)
		if (accepted.warnings.length > 0)
			lines.push(`          ${accepted.warnings.length} warnings: sluice validate shows them`)
	}
	if (!durable) lines.push(`store     not durable: ${storeFailure ?? 'unknown'}`)
	return lines.map(toPrintable)
}

const mostFindings = 5

function renderRefused({ refused }: Status, color: boolean): string[] {
	if (refused === null) return []
	const { revision, diagnostics, acceptable } = refused
	const name =
		revision === null
			? 'What the source holds'
			: `Revision ${revision.id} (${JSON.stringify(revision.message)} by ${revision.author})`
	const more = diagnostics.length - mostFindings
	return [
		'',
		toPrintable(`${name} is refused; the last good one stays in force.`),
		...diagnostics.slice(0, mostFindings).map((diagnostic) => renderDiagnostic(diagnostic, { color })),
		...(more > 0 ? [`and ${more} more`] : []),
		...(acceptable && revision !== null
			? [toPrintable(`To take it in all the same: sluice accept ${revision.id} --reason TEXT`)]
			: []),
	]
}

/** One line: id, phase, and where it stands. */
export function renderRolloutRow(rollout: Rollout, paint: Paint): string {
	return `  ${paint.bold(toPrintable(rollout.id))}  ${phaseSign(rollout, paint)}  ${toPrintable(rollout.text)}`
}

export function renderRollout(rollout: Rollout, paint: Paint): string {
	const { progress, fleet } = rollout
	const ladder = rollout.steps.map(({ text }, index) => {
		if (index + 1 < rollout.step) return `${text} ✓`
		return index + 1 === rollout.step ? paint.bold(`[${text}]`) : text
	})
	const wait = progress.proofWaitMs === null ? '' : ` (${formatDuration(progress.proofWaitMs)} at the present rate)`
	const missing =
		progress.missingRequests === null ? '' : `, about ${progress.missingRequests} more for the proof${wait}`
	const least = progress.minDurationMs > 0 ? ` of at least ${formatDuration(progress.minDurationMs)}` : ''
	const most = progress.deadlineMs === null ? '' : `, at most ${formatDuration(progress.deadlineMs)}`
	const requests =
		progress.minRequests > 0 ? `${progress.requests} of ${progress.minRequests}` : String(progress.requests)
	const plain = [
		...(rollout.changes === null ? [] : [`    changes   ${rollout.changes.join(', ')}`]),
		...describeRoutes(rollout),
		`    evidence  ${rollout.evidence?.text ?? 'none yet'}`,
		...(rollout.evidence === null
			? []
			: [...rollout.measures.map(({ text }) => `    measure   ${text}`), `    noise     ${describeNoise(rollout)}`]),
		...(rollout.users === null ? [] : [`    users     ${rollout.users}`]),
		...(rollout.front === null ? [] : [`    in front  ${rollout.front.text}${waitsText(rollout.front)}`]),
		...(rollout.mirror === null ? [] : [`    copies    ${rollout.mirror.text}${waitsText(rollout.mirror)}`]),
		...(rollout.front === null && rollout.mirror === null
			? []
			: [`    beside    ${rollout.beside.requests} requests in front or copied, ${rollout.beside.errors} failed`]),
		...rollout.hooks
			.filter(({ point }) => point !== 'event')
			.map(({ name, point, text }) => `    hook      ${name} (${point}): ${text}`),
		...rollout.thresholds.map(({ name, text }) => `    threshold ${name}: ${text}`),
		...(rollout.step === 0
			? []
			: [`    step      ${formatDuration(progress.elapsedMs)}${least}${most}, ${requests} canary requests${missing}`]),
		...(fleet === null
			? []
			: [
					`    proxies   ${fleet.current} of ${fleet.expected} hold the shares in force${fleet.pending.length > 0 ? `; waiting for ${fleet.pending.join(', ')}` : ''}`,
				]),
		...(fleet?.gone ?? []).map(({ proxy, version }) => `    unreachable  ${proxy}, last held ${version}`),
		...(rollout.promotedBy === null ? [] : [`    promoted  by ${rollout.promotedBy}: waits for the proxies alone`]),
		...rollout.holds.map(({ code, text }) => `    held      ${code}: ${text}`),
		...(rollout.cause === null ? [] : [`    back      ${rollout.cause.reason} (by ${rollout.cause.actor})`]),
	]
	return [renderRolloutRow(rollout, paint), `    ladder    ${ladder.join(' → ')}`, ...plain.map(toPrintable)].join('\n')
}

/** Of several routes: which, and the shares that they have. */
function describeRoutes({ lanes }: Rollout): string[] {
	if (lanes.flatMap(({ routes }) => routes).length === 1) return []
	return lanes.map(({ routes, shares }) => {
		const names = routes.map(nameOf).join(', ')
		const split = shares.now.map(({ virtualNode, sharePpm }) => `${virtualNode} ${sharePpm / 10_000} %`).join(' · ')
		return `    routes    ${names}: ${split}`
	})
}

/** Where φ comes from, and whether one bad endpoint could be told from a bad version. */
function describeNoise({ phi, evidence }: Rollout): string {
	const endpoints = evidence?.endpoints ?? 0
	const toldApart = endpoints === 0 ? 'endpoints not told apart' : `${endpoints} endpoints told apart`
	return `errors vary ${Number(phi.value.toFixed(1))} times as much as by chance (${phi.source}); ${toldApart}`
}

function phaseSign({ phase }: Rollout, paint: Paint): string {
	switch (phase) {
		case 'pending':
			return paint.cyan('○ PENDING')
		case 'stepping':
			return paint.cyan('▶ STEPPING')
		case 'held':
			return paint.yellow('‖ HELD')
		case 'paused':
			return paint.yellow('‖ PAUSED')
		case 'succeeded':
			return paint.green('✓ DONE')
		case 'ramping':
			return paint.yellow('◀ RAMPING DOWN')
		case 'rollingBack':
			return paint.red('◀ ROLLING BACK')
		case 'rolledBack':
			return paint.red('✗ ROLLED BACK')
		case 'aborted':
			return paint.yellow('✗ ABORTED')
	}
}

function renderTrouble({ code, subject, message }: Status['discovery'][number]): string {
	return toPrintable(`  ${code}  ${subject} ${message}`)
}

function renderGroup(group: GroupStatus, paint: Paint): string[] {
	const pending = Object.entries(group.types).filter(([, { pending }]) => pending > 0)
	const state =
		pending.length === 0
			? 'all hold what is served'
			: pending.map(([type, types]) => `${types.pending} have not ACKed ${type}`).join(', ')
	return [
		toPrintable(
			`  ${group.identity}  ${group.connected}/${group.expected} connected (Envoy ${group.envoy})${group.cohort === 'candidate' ? ', candidates of waves' : ''}, ${group.connected === 0 ? 'nobody to serve' : state}`,
		),
		...group.rejections.map(({ proxy, type, name, text, place }) =>
			paint.red(
				toPrintable(`    ✗ REJECTED ${type} ${name} at ${proxy}: ${text}${place === '' ? '' : ` (probably ${place})`}`),
			),
		),
		...group.waits.map((wait) => toPrintable(`    ○ WAITS ${wait}`)),
		...group.gone.map(({ proxy, version }) => toPrintable(`    ? GONE ${proxy}, last held ${version}`)),
		...(group.silent.length === 0
			? []
			: [toPrintable(`    ? UNWATCHED, no fresh counters from ${group.silent.join(', ')}`)]),
	]
}

function ago(then: string, now: string): string {
	return `${formatDuration(Math.max(0, Date.parse(now) - Date.parse(then)))} ago`
}

function waitsText({ standing }: NonNullable<Rollout['front']>): string {
	return standing === 'routed' ? '' : ' (not in force)'
}
