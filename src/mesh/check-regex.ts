import { RE2JS, RE2JSException } from 're2js'
import { errorAt, type Finding, type Path } from './finding.ts'

/**
 * Envoy runs RE2, and refuses a route it cannot compile. RE2 has no look-around and no back references. An expression
 * that compiles here may still be larger than a proxy's limit on program size, which counts in another way.
 */
export function checkRegex(path: Path, regex: string): readonly Finding[] {
	try {
		RE2JS.compile(regex)
		return []
	} catch (error) {
		if (!(error instanceof RE2JSException)) throw error
		const message = `RE2 does not accept the regular expression: ${error.message.replace(/^error parsing regexp: /, '')}`
		const hint = /\(\?[=!<]|\\[1-9]/.test(regex) ? 'RE2 has no look-ahead, look-behind or back reference' : null
		return [errorAt(path, 'SL0210', message, hint)]
	}
}
