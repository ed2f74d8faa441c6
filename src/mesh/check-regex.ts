import { RE2JS, RE2JSException } from 're2js'
import { errorAt, type Finding, type Path } from './finding.ts'

/**
 * In instructions as they are counted here. Envoy counts a class of characters once for each of its ranges: at most 64
 * times as many, which is below the bound that `sluice bootstrap` gives it. App Mesh's was 1000.
 */
const programSizeLimit = 500

/** Envoy runs RE2, and refuses a route it cannot compile. RE2 has no look-around and no back references. */
export function checkRegex(path: Path, regex: string): readonly Finding[] {
	try {
		const size = RE2JS.compile(regex).programSize()
		if (size <= programSizeLimit) return []
		const message = `the regular expression is too large: ${size} instructions, at most ${programSizeLimit} are accepted`
		return [errorAt(path, 'SL0246', message, 'write smaller repetitions than {100}, or several routes')]
	} catch (error) {
		if (!(error instanceof RE2JSException)) throw error
		const message = `RE2 does not accept the regular expression: ${error.message.replace(/^error parsing regexp: /, '')}`
		const hint = /\(\?[=!<]|\\[1-9]/.test(regex) ? 'RE2 has no look-ahead, look-behind or back reference' : null
		return [errorAt(path, 'SL0210', message, hint)]
	}
}
