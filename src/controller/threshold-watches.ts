import { unreachable } from '#base/assert.ts'
import type { ThresholdSource } from '#mesh/mesh.ts'
import { fillTemplate, type TemplateValues } from '#mesh/query-template.ts'
import { nameOf } from '#plan/split.ts'
import { thresholdGuardsOf } from '#rollout/guards-of-policy.ts'
import { hasShare } from '#rollout/ladder.ts'
import { isRunning, type Rollout, routesOf } from '#rollout/rollout.ts'
import type { WatchedThreshold } from '#telemetry/measurement.ts'

/** Whom to ask for the rollouts that run: all their thresholds, in every phase in which canaries have a share. */
export function thresholdWatchesOf(rollouts: readonly Rollout[]): WatchedThreshold[] {
	return rollouts
		.filter((rollout) => isRunning(rollout) && rollout.phase.kind !== 'rollingBack' && hasShare(rollout))
		.flatMap((rollout) =>
			thresholdGuardsOf(rollout.policy).map(({ name, source, windowMs, intervalMs }) => ({
				rollout: rollout.id,
				guard: name,
				question: { source: fillSource(source, valuesOf(rollout, windowMs)), windowMs },
				intervalMs,
			})),
		)
}

function valuesOf(rollout: Rollout, windowMs: number): TemplateValues {
	const { lanes, canaries, baseline } = rollout
	const [, mesh = '', , virtualRouter = ''] = lanes[0].routes[0].id.split('/')
	return {
		mesh,
		virtualRouter,
		route: rollout.wave === null ? routesOf(rollout).map(nameOf).join('|') : '',
		canary: canaries.map(({ virtualNode }) => nameOf(virtualNode)).join('|'),
		baseline: baseline.map(({ virtualNode }) => nameOf(virtualNode)).join('|'),
		window: windowMs % 1000 === 0 ? `${windowMs / 1000}s` : `${windowMs}ms`,
	}
}

function fillSource(source: ThresholdSource, values: TemplateValues): ThresholdSource {
	switch (source.kind) {
		case 'prometheus':
			return { ...source, query: fillTemplate(source.query, values, (value) => value) }
		case 'http':
			return { ...source, url: fillTemplate(source.url, values, encodeURIComponent) }
		case 'cloudWatchMetric': {
			const fill = (value: string) => fillTemplate(value, values, (name) => name)
			const dimensions = Object.entries(source.dimensions).map(([name, value]) => [name, fill(value)])
			return { ...source, dimensions: Object.fromEntries(dimensions) }
		}
		case 'cloudWatchAlarm':
			return { ...source, names: source.names.map((name) => fillTemplate(name, values, (value) => value)) }
		default:
			return unreachable(source)
	}
}
