// One field of one route configuration changes: how long until N proxies have it, and what does that cost the server?
// Our whole daemon, the part of it that serves, how little a push can cost on the same transport, and go-control-plane's
// two caches; all with the same resources, one after the other.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeTempDirectory } from '#lab/temp.ts'
import { type Bench, type BenchOptions, type Figures, median, rounded } from './report.ts'
import { buildBaseline } from './xds/baseline-program.ts'
import { type Bundled, bundlePrograms } from './xds/bundled.ts'
import { issueCredentials } from './xds/credentials.ts'
import { startCommitting, startStepping } from './xds/daemon-process.ts'
import { measureFirstByte } from './xds/first-byte.ts'
import { startFloorWithCounters } from './xds/floor-process.ts'
import { type LoadClient, startLoadClient } from './xds/load-process.ts'
import type { Variant } from './xds/load-stream.ts'
import { measureReconnect, type Reconnect } from './xds/reconnect.ts'
import { dumpResources } from './xds/resources.ts'
import { measureRestart } from './xds/restart.ts'
import { cpuSeconds, residentMb, type ServerProcess, startServer } from './xds/server-process.ts'

type Size = { readonly proxies: number; readonly services: number; readonly rounds: number }

const sizes: Readonly<Record<BenchOptions['sizes'], readonly Size[]>> = {
	usual: [
		{ proxies: 100, services: 100, rounds: 20 },
		{ proxies: 1_000, services: 100, rounds: 10 },
	],
	large: [{ proxies: 5_000, services: 1_000, rounds: 10 }],
}

/** A change takes these up to half a minute, and no code of theirs has to become warm. */
const slowRows: readonly RowName[] = ['linearCache', 'snapshotCache']
const slowRounds = 5

const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']

type RowName =
	| 'daemon'
	| 'daemonFromFile'
	| 'served'
	| 'servedByGrpcJs'
	| 'floor'
	| 'floorWithCounters'
	| 'linearCache'
	| 'snapshotCache'

const rowTitles: Readonly<Record<RowName, string>> = {
	daemon: 'sluice run, a step of a rollout',
	daemonFromFile: 'sluice run, from a file on',
	served: 'its serving part',
	servedByGrpcJs: 'the same over grpc-js',
	floor: 'the transport alone',
	floorWithCounters: 'reading counters too',
	linearCache: 'go-control-plane',
	snapshotCache: 'go-control-plane',
}
const titleWidth = 46

/** What one row measured, for one change: the middle of several. CPU and bytes are of all proxies together. */
type Cost = {
	readonly firstMs: number
	readonly lastMs: number
	readonly cpuMs: number
	readonly rssMb: number
	readonly sentMb: number
}

export const benchXds: Bench = async (say, options) => {
	using directory = makeTempDirectory('bench-xds')
	const bundled = await bundlePrograms(join(directory.path, 'programs'))
	const baseline = await buildBaseline()
	if (!baseline.ok) say(`${baseline.error}: the rows of go-control-plane are left out`)
	// First, while nothing else fills this process.
	const figures: Record<string, Figures[string]> = {
		firstByte: sayFirstByte(say),
		restart: await sayRestart(say, bundled),
	}
	for (const size of sizes[options.sizes]) {
		const { proxies, services } = size
		const dump = join(directory.path, `resources-${services}.json`)
		const held = dumpResources(services, dump)
		const rows = rowsOf({ services, dump, bundled, baseline: baseline.ok ? baseline.value : null })
		for (const variant of variants) {
			say(`${proxies} proxies, ${services} services, ${variantTitles[variant]}`)
			const costs: Partial<Record<RowName, Cost>> = {}
			for (const [name, start] of rows) {
				const rounds = slowRows.includes(name) ? Math.min(size.rounds, slowRounds) : size.rounds
				const cost = await measure(start, { ...size, rounds, variant, held })
				costs[name] = cost
				say(`  ${`${name}, ${rowTitles[name]}`.padEnd(titleWidth)}${costLine(cost)}`)
				figures[`${proxies}x${services}.${variant}.${name}`] = roundedCost(cost)
			}
			for (const { ours, theirs, ratios } of ratiosOf(costs)) {
				say(`  ${`${ours} : ${theirs}`.padEnd(titleWidth)}${ratioLine(ratios)}`)
				figures[`${proxies}x${services}.${variant}.${ours}:${theirs}`] = ratios
			}
		}
	}
	const again = { ...comingAgain[options.sizes], dump: join(directory.path, 'held.json'), bundled }
	Object.assign(figures, await sayReconnect(say, again))
	return figures
}

const comingAgain: Readonly<Record<BenchOptions['sizes'], Omit<Size, 'rounds'>>> = {
	usual: { proxies: 1_000, services: 100 },
	large: { proxies: 5_000, services: 100 },
}

/** Handshakes cost the load client as much as the server, and all of its proxies share one process. */
const mostSecured = 2_000

/** By the serving part alone. */
async function sayReconnect(
	say: (line: string) => void,
	{ proxies, services, dump, bundled }: Omit<Size, 'rounds'> & { readonly dump: string; readonly bundled: Bundled },
): Promise<Figures> {
	const held = dumpResources(services, dump)
	const figures: Record<string, Figures[string]> = {}
	const fleets = [
		...variants.map((variant) => ({ variant, credentials: null, count: proxies })),
		{ variant: 'delta', credentials: await issueCredentials(), count: Math.min(proxies, mostSecured) } as const,
	]
	for (const { variant, credentials, count } of fleets) {
		const cost = await measureReconnect(bundled.served, services, { variant, count, held, credentials })
		const over = credentials === null ? '' : ' over mTLS'
		say(`${count} proxies that hold everything come again at once${over}, ${variantTitles[variant]}`)
		say(
			`  current after ${(cost.tookMs / 1000).toFixed(1)} s, CPU ${(cost.cpuMs / 1000).toFixed(1)} s, sent ${cost.sentBytes} bytes, delay of the loop p99 ${cost.delayP99Ms.toFixed(0)} ms, RSS ${cost.rssBeforeMb.toFixed(0)} -> ${cost.rssAfterMb.toFixed(0)} MB`,
		)
		figures[`reconnect${count}x${services}.${variant}${credentials === null ? '' : '.mTLS'}`] = roundedCost(cost)
	}
	return figures
}

/** Within this process. */
function sayFirstByte(say: (line: string) => void): Figures[string] {
	const { routes, groups, stepCpuMs, encodeCpuMs } = measureFirstByte()
	const ratio = stepCpuMs / encodeCpuMs
	say(`a step of a rollout among ${routes} routes and ${groups} groups of proxies, until its first byte is there`)
	say(
		`  CPU ${stepCpuMs.toFixed(1)} ms: ${ratio.toFixed(1)} times encoding that route configuration (${encodeCpuMs.toFixed(2)} ms)`,
	)
	return { routes, groups, stepCpuMs: rounded(stepCpuMs), encodeCpuMs: rounded(encodeCpuMs), ratio: rounded(ratio) }
}

async function sayRestart(say: (line: string) => void, { sluice }: Bundled): Promise<Figures[string]> {
	const { routes, groups, startedCpuMs, firstCpuMs, allCpuMs } = await measureRestart(sluice)
	say(`a daemon is started again on a store with ${routes} routes`)
	say(
		`  CPU ${startedCpuMs.toFixed(0)} ms until it listens, ${firstCpuMs.toFixed(0)} until a proxy has its routes, ${allCpuMs.toFixed(0)} until one of each of ${groups} groups has`,
	)
	return { routes, groups, startedCpuMs, firstCpuMs, allCpuMs }
}

type Row = readonly [name: RowName, start: () => Promise<ServerProcess>]

type RowsOptions = {
	readonly services: number
	readonly dump: string
	readonly bundled: Bundled
	/** The program in Go; null: there is none. */
	readonly baseline: string | null
}

function rowsOf({ services, dump, bundled, baseline }: RowsOptions): readonly Row[] {
	const child = (...parameters: readonly string[]) => startServer(process.execPath, parameters)
	const ours: readonly Row[] = [
		['floor', () => child(bundled.floor, dump)],
		['floorWithCounters', () => startFloorWithCounters(bundled.floor, dump)],
		['served', () => child(bundled.served, String(services))],
		['servedByGrpcJs', () => child(bundled.served, String(services), 'grpc-js')],
		['daemon', () => startStepping(bundled.sluice, services)],
		['daemonFromFile', () => startCommitting(bundled.sluice, services)],
	]
	if (baseline === null) return ours
	return [
		...ours,
		['linearCache', () => startServer(baseline, ['linear', dump])],
		['snapshotCache', () => startServer(baseline, ['snapshot', dump])],
	]
}

const variantTitles: Readonly<Record<Variant, string>> = { delta: 'delta', stateOfTheWorld: 'state of the world' }

type Measured = Size & { readonly variant: Variant; readonly held: ReturnType<typeof dumpResources> }

/** ACKs are taken in, and what is left to do is done. */
const restMs = 400

async function measure(
	start: () => Promise<ServerProcess>,
	{ proxies, rounds, variant, held }: Measured,
): Promise<Cost> {
	await using server = await start()
	await using load = startLoadClient()
	await load.open({
		port: server.port,
		variant,
		count: proxies,
		held,
		reported: server.asksFor?.reported ?? null,
		credentials: null,
	})
	// The first change is for what is compiled only when it is used.
	await changeOnce(server, load)
	const changes: Change[] = []
	for (let round = 0; round < rounds; round += 1) changes.push(await changeOnce(server, load))
	return {
		firstMs: median(changes.map(({ firstMs }) => firstMs)),
		lastMs: median(changes.map(({ lastMs }) => lastMs)),
		cpuMs: changes.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / rounds,
		rssMb: residentMb(server.pid),
		sentMb: median(changes.map(({ sentMb }) => sentMb)),
	}
}

type Change = Omit<Cost, 'rssMb'>

/** What proxies report is taken in before, and not counted: another bench does. */
async function changeOnce(server: ServerProcess, load: LoadClient): Promise<Change> {
	if (server.asksFor !== undefined) {
		await server.asksFor.heard(await load.flush())
	}
	const cpuBefore = cpuSeconds(server.pid)
	const { startedMs, arrivals } = await load.awaitChange(() => server.change())
	await sleep(restMs)
	return {
		firstMs: arrivals.firstMs - startedMs,
		lastMs: arrivals.lastMs - startedMs,
		cpuMs: (cpuSeconds(server.pid) - cpuBefore) * 1000,
		sentMb: arrivals.bytes / 1e6,
	}
}

/** Ours over theirs: below 1 is less. */
type Ratios = { readonly lastMs: number; readonly cpuMs: number; readonly rssMb: number }

const compared: readonly (readonly [ours: RowName, theirs: RowName])[] = [
	['served', 'snapshotCache'],
	['served', 'linearCache'],
	['served', 'floor'],
	['served', 'servedByGrpcJs'],
	['daemon', 'snapshotCache'],
	['daemon', 'linearCache'],
	['daemon', 'floor'],
	['daemon', 'floorWithCounters'],
	['daemonFromFile', 'snapshotCache'],
	['daemonFromFile', 'linearCache'],
]

function ratiosOf(costs: Partial<Record<RowName, Cost>>): { ours: RowName; theirs: RowName; ratios: Ratios }[] {
	return compared.flatMap(([ours, theirs]) => {
		const [over, under] = [costs[ours], costs[theirs]]
		if (over === undefined || under === undefined) return []
		const ratio = (name: keyof Ratios) => rounded(over[name] / under[name])
		return [{ ours, theirs, ratios: { lastMs: ratio('lastMs'), cpuMs: ratio('cpuMs'), rssMb: ratio('rssMb') } }]
	})
}

function costLine({ firstMs, lastMs, cpuMs, rssMb, sentMb }: Cost): string {
	return [
		`first ${firstMs.toFixed(0).padStart(5)} ms`,
		`last ${lastMs.toFixed(0).padStart(6)} ms`,
		`CPU ${cpuMs.toFixed(0).padStart(6)} ms`,
		`RSS ${rssMb.toFixed(0).padStart(5)} MB`,
		`sent ${sentMb.toFixed(2).padStart(7)} MB`,
	].join('  ')
}

function ratioLine({ lastMs, cpuMs, rssMb }: Ratios): string {
	return `last ${lastMs.toFixed(2).padStart(6)}  CPU ${cpuMs.toFixed(2).padStart(6)}  RSS ${rssMb.toFixed(2).padStart(6)}`
}

function roundedCost(cost: Cost | Reconnect): Readonly<Record<string, number>> {
	return Object.fromEntries(Object.entries(cost).map(([name, value]) => [name, rounded(value)]))
}
