import type { Diagnostic } from '#base/diagnostic.ts'

/**
 * True when a mesh was refused for nothing but its own expectations: it can be served, and a person may say that it is to
 * be, in an emergency or when the expectations are what is wrong.
 */
export function isUnexpected(diagnostics: readonly Diagnostic[]): boolean {
	const errors = diagnostics.filter(({ severity }) => severity === 'error')
	return errors.length > 0 && errors.every(({ code }) => code === 'SL0401' || code === 'SL0402')
}
