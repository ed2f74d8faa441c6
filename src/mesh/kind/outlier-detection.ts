import { appMeshDurationToMs } from '../duration.ts'
import { type Finding, type Path, warningAt } from '../finding.ts'
import type { VirtualNodeOutlierDetection } from '../manifest.generated.ts'
import type { OutlierDetection } from '../proxy-spec.ts'

export function readOutlierDetection(detection: VirtualNodeOutlierDetection | undefined): OutlierDetection | null {
	if (detection === undefined) return null
	const { maxServerErrors, interval, baseEjectionDuration, maxEjectionPercent } = detection
	return {
		maxServerErrors,
		intervalMs: appMeshDurationToMs(interval),
		baseEjectionDurationMs: appMeshDurationToMs(baseEjectionDuration),
		maxEjectionPercent,
	}
}

const envoyDefaults = { interval: '10 s', baseEjectionDuration: '30 s' } as const

/** Envoy takes no duration of 0 here. */
export function checkOutlierDetection(
	path: Path,
	detection: VirtualNodeOutlierDetection | undefined,
): readonly Finding[] {
	if (detection === undefined) return []
	return (['interval', 'baseEjectionDuration'] as const).flatMap((field) => {
		if (detection[field].value > 0) return []
		const message = `Envoy takes no ${field} of 0: its own default of ${envoyDefaults[field]} holds`
		return [warningAt([...path, field, 'value'], 'SL0231', message)]
	})
}
