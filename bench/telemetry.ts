// Thousands of proxies push their counters: what that costs the daemon, from the socket to the guard, while nothing
// moves and while a rollout runs that watches all of them. Each has a connection of its own and is served on it too.
import { type Bench, type Figures, rounded } from './report.ts'
import { clusters } from './telemetry/fleet.ts'
import { type FlushCost, type FlushLoad, measureFlushes } from './telemetry/measure-flushes.ts'
import { playFlushes } from './telemetry/played-flush.ts'
import { measureScan } from './telemetry/scan-cost.ts'

const loads: readonly Omit<FlushLoad, 'proxies'>[] = [
	{ intervalS: 1, during: 'quiet', measuredS: 15 },
	{ intervalS: 1, during: 'rollout', measuredS: 15 },
	{ intervalS: 5, during: 'quiet', measuredS: 20 },
	{ intervalS: 5, during: 'rollout', measuredS: 20 },
]

export const benchTelemetry: Bench = async (say, { proxies }) => {
	const flush = playFlushes(0, clusters).at(0, Date.now())
	const bytes = flush.length
	const { scanUs, decodeUs } = measureScan(flush)
	const ratio = rounded(scanUs / decodeUs)
	say(
		`a flush of ${bytes} bytes is scanned in ${scanUs.toFixed(0)} µs of CPU, and decoded in ${decodeUs.toFixed(0)}: ${ratio}`,
	)
	say(`${proxies} proxies; nothing of what they counted is lost`)
	const figures: Record<string, Figures[string]> = {
		proxies,
		bytes,
		scan: { scanUs: rounded(scanUs), decodeUs: rounded(decodeUs), ratio },
	}
	for (const load of loads) {
		const cost = await measureFlushes({ ...load, proxies })
		say(`  every ${load.intervalS} s, ${titles[load.during].padEnd(20)}${costLine(cost)}`)
		figures[`every${load.intervalS}s.${load.during}`] = Object.fromEntries(
			Object.entries(cost).map(([name, value]) => [name, rounded(value)]),
		)
	}
	return figures
}

const titles: Readonly<Record<FlushLoad['during'], string>> = { quiet: 'nothing moves', rollout: 'during a rollout' }

function costLine({ cpuPercent, flushUs, rate, delayP99Ms, rssBeforeMb, rssAfterMb, late }: FlushCost): string {
	return [
		`${cpuPercent.toFixed(1).padStart(5)} % of a core`,
		`${flushUs.toFixed(0).padStart(4)} µs a flush`,
		`${rate.toFixed(0).padStart(5)} flushes/s`,
		`loop p99 ${delayP99Ms.toFixed(0)} ms`,
		`RSS ${rssBeforeMb.toFixed(0)} -> ${rssAfterMb.toFixed(0)} MB`,
		`late ${late}`,
	].join('  ')
}
