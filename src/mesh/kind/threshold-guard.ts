import { assert } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import { nearestName } from '#base/nearest-name.ts'
import { durationToMs } from '../duration.ts'
import { errorAt, type Finding, type Path, pathToText } from '../finding.ts'
import type { RolloutPolicyThresholdGuard, RolloutPolicyThresholdSource } from '../manifest.generated.ts'
import type { ThresholdGuard, ThresholdSource } from '../mesh.ts'
import { templateVariables, unknownVariables } from '../query-template.ts'
import { defaultThresholdGuard } from '../rollout-policy.ts'
import { checkAskedUrl } from './asked-url.ts'
import { checkTime } from './bounded-time.ts'

const longestIntervalMs = durationToMs('1h')

/** What is not written is as in `defaultThresholdGuard`. */
export function readThresholdGuard(guard: RolloutPolicyThresholdGuard): ThresholdGuard {
	const { name, source, min, max, interval, window, minMeasurements, onNoData } = guard
	const defaults = defaultThresholdGuard
	const windowMs = window === undefined ? defaults.windowMs : durationToMs(window)
	return {
		kind: 'threshold',
		name,
		source: readSource(source),
		min: min ?? null,
		// An alarm has bounds of its own: none may be on.
		max: max ?? (source.cloudWatchAlarm === undefined ? null : 0),
		intervalMs: interval === undefined ? usualInterval(source, windowMs) : durationToMs(interval),
		windowMs,
		minMeasurements: minMeasurements ?? defaults.minMeasurements,
		breaches: breachesOf(guard),
		onNoData: onNoData ?? defaults.onNoData,
	}
}

/** CloudWatch has one value for each window: asked more often, one bad window would be several breaches. */
function usualInterval({ cloudWatchMetric }: RolloutPolicyThresholdSource, windowMs: number): number {
	return cloudWatchMetric === undefined ? defaultThresholdGuard.intervalMs : Math.min(windowMs, longestIntervalMs)
}

/** An alarm has looked back as far as it wants to before it goes off. */
function breachesOf({ source, breaches }: RolloutPolicyThresholdGuard): ThresholdGuard['breaches'] {
	const defaults = source.cloudWatchAlarm === undefined ? defaultThresholdGuard.breaches : { count: 1, of: 1 }
	return { ...defaults, ...breaches }
}

function readSource({
	prometheus,
	http,
	cloudWatchMetric,
	cloudWatchAlarm,
}: RolloutPolicyThresholdSource): ThresholdSource {
	if (cloudWatchMetric !== undefined) {
		const { dimensions = {}, minSamples = 1, region = null, ...metric } = cloudWatchMetric
		return { kind: 'cloudWatchMetric', ...metric, dimensions, minSamples, region }
	}
	if (cloudWatchAlarm !== undefined) {
		return { kind: 'cloudWatchAlarm', names: cloudWatchAlarm.names, region: cloudWatchAlarm.region ?? null }
	}
	if (prometheus !== undefined) {
		const { address, query, credentials } = prometheus
		return { kind: 'prometheus', address, query, credentials: credentials ?? null }
	}
	assert(http !== undefined, 'the schema asks for one source')
	const { url, value, time, credentials } = http
	return { kind: 'http', url, value, time: time ?? null, credentials: credentials ?? null }
}

/** `path` leads to the guard. */
export function checkThresholdGuard(guard: RolloutPolicyThresholdGuard, path: Path): readonly Finding[] {
	return [...checkBounds(guard, path), ...checkTimes(guard, path), ...checkSource(guard.source, [...path, 'source'])]
}

function checkBounds(guard: RolloutPolicyThresholdGuard, path: Path): Finding[] {
	const { min, max, source } = guard
	const findings: Finding[] = []
	if (source.cloudWatchAlarm !== undefined) {
		const field = min === undefined ? 'max' : 'min'
		const message = `${pathToText(path)} has ${field} beside an alarm, which has its own; expected no bounds`
		if (min !== undefined || max !== undefined) findings.push(errorAt([...path, field], 'SL0248', message))
	} else if (min === undefined && max === undefined) {
		findings.push(errorAt(path, 'SL0248', `${pathToText(path)} has neither min nor max; expected one or both`))
	} else if (min !== undefined && max !== undefined && min > max) {
		const message = `${pathToText(path)}.min is ${min}, above max, which is ${max}: no value is within these bounds`
		findings.push(errorAt([...path, 'min'], 'SL0248', message))
	}
	const { count, of } = breachesOf(guard)
	if (count > of) {
		const message = `${pathToText(path)}.breaches asks for ${count} breaches of ${of} values; expected as many values or more`
		findings.push(errorAt([...path, 'breaches'], 'SL0208', message))
	}
	return findings
}

/** Seconds that CloudWatch takes as a period, besides whole minutes. */
const shortPeriods: readonly number[] = [1, 5, 10, 30]

function checkTimes({ interval, window, source }: RolloutPolicyThresholdGuard, path: Path): Finding[] {
	const seconds = window === undefined ? 60 : durationToMs(window) / 1000
	if (source.cloudWatchMetric !== undefined && seconds % 60 !== 0 && !shortPeriods.includes(seconds)) {
		const message = `${pathToText(path)}.window is "${window}"; CloudWatch takes 1s, 5s, 10s, 30s and whole minutes`
		return [errorAt([...path, 'window'], 'SL0208', message)]
	}
	return [
		...checkTime(interval, { least: '1s', most: '1h' }, [...path, 'interval']),
		...checkTime(window, { least: '1s', most: '24h' }, [...path, 'window']),
	]
}

function checkSource(source: RolloutPolicyThresholdSource, path: Path): Finding[] {
	const { prometheus, http, cloudWatchMetric, cloudWatchAlarm } = source
	if (prometheus !== undefined) {
		const at = [...path, 'prometheus']
		return [
			...checkAddress(prometheus.address, [...at, 'address']),
			...checkVariables(prometheus.query, [...at, 'query']),
		]
	}
	if (http !== undefined) {
		const at = [...path, 'http', 'url']
		return [...checkAskedUrl(http.url, at), ...checkVariables(http.url, at)]
	}
	const dimensions = Object.entries(cloudWatchMetric?.dimensions ?? {})
	const names = cloudWatchAlarm?.names ?? []
	return [
		...dimensions.flatMap(([name, value]) => checkVariables(value, [...path, 'cloudWatchMetric', 'dimensions', name])),
		...names.flatMap((name, index) => checkVariables(name, [...path, 'cloudWatchAlarm', 'names', index])),
	]
}

/** An address gets a path of the API behind it, so it ends where its own path does. */
function checkAddress(address: string, path: Path): Finding[] {
	const wrong = /[?#]/.test(address) ? 'has a query' : address.includes('{{') ? 'has a variable' : null
	if (wrong === null) return checkAskedUrl(address, path)
	return [errorAt(path, 'SL0250', `${pathToText(path)} ${wrong}; expected a URL that ends with its path`)]
}

function checkVariables(text: string, path: Path): Finding[] {
	return unknownVariables(text).map((name) => {
		const isBrace = name === '{{' || name === '}}'
		const message = isBrace
			? `${pathToText(path)} has ${name} without its counterpart`
			: `${pathToText(path)} has the variable {{${name}}}, which is not known`
		const nearest = isBrace ? null : nearestName(name, templateVariables)
		const known = `the variables are ${templateVariables.join(', ')}`
		return errorAt(path, 'SL0249', message, nearest === null ? known : `did you mean {{${nearest}}}?`)
	})
}

/** They are stored with each rollout of their policy, so all together are bounded. */
export function checkThresholdSizes(guards: readonly RolloutPolicyThresholdGuard[], path: Path): readonly Finding[] {
	const { thresholdGuards, thresholdGuardsChars } = limits
	if (guards.length > thresholdGuards) {
		const message = `the policy has ${guards.length} threshold guards; expected at most ${thresholdGuards}`
		return [errorAt(path, 'SL0208', message, 'several figures can be one query, or one alarm')]
	}
	const size = JSON.stringify(guards).length
	if (size <= thresholdGuardsChars) return []
	const message = `the threshold guards of the policy take ${size} characters; expected at most ${thresholdGuardsChars}`
	return [errorAt(path, 'SL0208', message, 'give a long query a short name by a recording rule')]
}
