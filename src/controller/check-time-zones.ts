// Names of time zones, which only the machine knows. Like expectations, they are looked at in the worker that reads the mesh.
import { compareDiagnostics } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import { nearestName } from '#base/nearest-name.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import { type PlacedFinding, placeFinding } from './place-finding.ts'
import { isTimeZone } from './windows.ts'

/** The same outcome, or a refusal with an error for each window whose time zone nobody knows. */
export function checkTimeZones(read: ReadOutcome, files: ReadonlyMap<string, Uint8Array>): ReadOutcome {
	if (read.kind === 'refused') return read
	const findings = Object.values(read.mesh.resources).flatMap((resource): PlacedFinding[] => {
		if (resource.kind !== 'RolloutPolicy') return []
		return resource.spec.windows.flatMap(({ timeZone }, index) => {
			if (isTimeZone(timeZone)) return []
			const nearest = nearestName(timeZone, Intl.supportedValuesOf('timeZone'))
			return {
				code: 'SL0258',
				id: resource.id,
				pointer: `/spec/windows/${index}/timeZone`,
				message: `the time zone ${JSON.stringify(timeZone)} is not known; expected an IANA name`,
				hint: nearest === null ? null : `did you mean ${JSON.stringify(nearest)}?`,
			}
		})
	})
	if (findings.length === 0) return read
	const errors = findings.map((finding) => placeFinding(finding, { origins: read.origins, files }))
	const shown = errors.sort(compareDiagnostics).slice(0, limits.diagnostics)
	return { kind: 'refused', diagnostics: [...shown, ...read.warnings].sort(compareDiagnostics) }
}
