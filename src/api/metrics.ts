import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DaemonFace } from '#controller/face.ts'
import type { Status } from '#controller/status.ts'
import { nameOf } from '#plan/split.ts'
import type { JournalEntry } from '#store/store.ts'

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number }

/** A gauge that is read off the status when somebody asks. */
type GaugeRow = {
	readonly name: string
	readonly help: string
	readonly labels: readonly string[]
	read(status: Status, version: string): readonly Sample[]
}

/** Every metric that follows from the status. A name never changes its meaning. */
const gauges: readonly GaugeRow[] = [
	{
		name: 'sluice_build_info',
		help: 'The version that runs.',
		labels: ['version'],
		read: (_, version) => [{ labels: { version }, value: 1 }],
	},
	{ name: 'sluice_leader', help: 'Whether this daemon decides and writes.', labels: [], read: () => only(1) },
	{
		name: 'sluice_store_durable',
		help: 'Whether the last decision is in the store.',
		labels: [],
		read: ({ durable }) => only(durable ? 1 : 0),
	},
	{
		name: 'sluice_git_last_success_timestamp_seconds',
		help: 'When the source could last be read.',
		labels: [],
		read: ({ source }) => (source.lastSuccess === null ? [] : only(Date.parse(source.lastSuccess) / 1000)),
	},
	{
		name: 'sluice_revision_refused',
		help: 'Whether the newest revision of the source is refused.',
		labels: [],
		read: ({ refused }) => only(refused === null ? 0 : 1),
	},
	{
		name: 'sluice_proxies',
		help: 'Proxies by state. Current, pending and rejected are connected ones, by the type that is furthest behind.',
		labels: ['state'],
		read: proxiesByState,
	},
	{
		name: 'sluice_rollout_info',
		help: 'Rollouts that run or ended lately, by phase.',
		labels: ['rollout', 'phase'],
		read: ({ rollouts }) => rollouts.map(({ id, phase }) => ({ labels: { rollout: id, phase }, value: 1 })),
	},
	{
		name: 'sluice_rollout_weight_percent',
		help: 'Share in force of each destination of a route of a running rollout.',
		labels: ['rollout', 'route', 'destination'],
		read: (status) =>
			running(status).flatMap(({ id, lanes }) =>
				lanes.flatMap(({ routes, shares }) =>
					routes.flatMap((route) =>
						shares.now.map(({ virtualNode, sharePpm }) => ({
							labels: { rollout: id, route: nameOf(route), destination: virtualNode },
							value: sharePpm / 10_000,
						})),
					),
				),
			),
	},
	{
		name: 'sluice_stats_age_seconds',
		help: 'Age of the evidence of a running rollout.',
		labels: ['rollout'],
		read: (status) =>
			running(status).map(({ id, progress }) => ({ labels: { rollout: id }, value: progress.evidenceAgeMs / 1000 })),
	},
	{
		name: 'sluice_threshold_value',
		help: 'Newest figure of each threshold of a running rollout; absent where there is none.',
		labels: ['rollout', 'threshold'],
		read: (status) =>
			running(status).flatMap(({ id, thresholds }) =>
				thresholds.flatMap(({ name, value }) =>
					value === null ? [] : [{ labels: { rollout: id, threshold: name }, value }],
				),
			),
	},
	{
		name: 'sluice_held_back_changes',
		help: 'Changes that the accepted revision asks for and that are not in force.',
		labels: [],
		read: ({ heldBack }) => only(heldBack.length),
	},
]

export type Metrics = { readonly contentType: string; render(): Promise<string> }

/** The registry of `/metrics`: gauges from the status, and what can only be counted as it happens. */
export function createMetrics({ face, version }: { face: DaemonFace; version: string }): Metrics {
	const registry = new Registry()
	const registers = [registry]
	collectDefaultMetrics({ register: registry })
	const made = gauges.map(({ name, help, labels, read }) => ({
		read,
		gauge: new Gauge({ name, help, labelNames: [...labels], registers }),
	}))
	const decisions = new Counter({
		name: 'sluice_rollout_decisions_total',
		help: 'Decisions about rollouts, and what they came from.',
		labelNames: ['decision', 'reason'],
		registers,
	})
	const nacks = new Counter({
		name: 'sluice_xds_nacks_total',
		help: 'Resources that a proxy refused.',
		labelNames: ['type'],
		registers,
	})
	const convergence = new Histogram({
		name: 'sluice_xds_convergence_seconds',
		help: 'From a publication until every connected proxy of a group has ACKed it.',
		buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
		registers,
	})
	const hookCalls = new Counter({
		name: 'sluice_hook_calls_total',
		help: 'Calls of hooks, and what they were answered.',
		labelNames: ['hook', 'point', 'outcome'],
		registers,
	})
	face.onJournal((entry) => {
		if (entry.event.startsWith('rollout.'))
			decisions.inc({ decision: entry.event.slice('rollout.'.length), reason: reasonOf(entry) })
	})
	face.onObservation((observation) => {
		switch (observation.kind) {
			case 'rejected':
				return nacks.inc({ type: observation.type })
			case 'converged':
				return convergence.observe(observation.afterMs / 1000)
			case 'hook':
				return hookCalls.inc({ hook: observation.hook, point: observation.point, outcome: observation.outcome })
		}
	})
	return {
		contentType: registry.contentType,
		render() {
			const status = face.status()
			for (const { gauge, read } of made) {
				gauge.reset()
				for (const { labels, value } of read(status, version)) gauge.set({ ...labels }, value)
			}
			return registry.metrics()
		},
	}
}

/** A word of a closed list: who or what caused it. Never a text, which would be a new series each time. */
function reasonOf({ numbers, actor }: JournalEntry): string {
	if (typeof numbers.by === 'string') return numbers.by
	if (Array.isArray(numbers.codes)) return String(numbers.codes[0] ?? '')
	return actor === 'sluice' ? 'guard' : 'command'
}

function only(value: number): Sample[] {
	return [{ labels: {}, value }]
}

function running({ rollouts }: Status): Status['rollouts'] {
	return rollouts.filter(({ endedAt }) => endedAt === null)
}

function proxiesByState({ groups, excluded }: Status): Sample[] {
	const sum = (count: (group: Status['groups'][number]) => number) =>
		groups.reduce((total, group) => total + count(group), 0)
	const most = (group: Status['groups'][number], state: 'pending' | 'rejected') =>
		Math.max(...Object.values(group.types).map((type) => type[state]))
	const states = {
		connected: sum(({ connected }) => connected),
		expected: sum(({ expected }) => expected),
		current: sum((group) => Math.min(...Object.values(group.types).map(({ current }) => current))),
		pending: sum((group) => most(group, 'pending')),
		rejected: sum((group) => most(group, 'rejected')),
		gone: sum(({ connected, expected }) => expected - connected),
		silent: sum(({ silent }) => silent.length),
		excluded: excluded.length,
	}
	return Object.entries(states).map(([state, value]) => ({ labels: { state }, value }))
}
