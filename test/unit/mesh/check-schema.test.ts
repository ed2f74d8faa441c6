import { expect, test } from 'vitest'
import { checkSchema } from '../../../src/mesh/check-schema.ts'

const mesh = (change: Record<string, unknown>) => ({
	apiVersion: 'sluice/v1',
	kind: 'Mesh',
	metadata: { name: 'a' },
	...change,
})

test('a document whose schema holds is its manifest', () => {
	const value = mesh({})
	expect(checkSchema('Mesh', value)).toEqual({ ok: true, manifest: value })
})

test('all findings of a document come at once', () => {
	const checked = checkSchema('Mesh', mesh({ metadata: { name: 1, nam: 'a' }, spec: { egressFilter: {} }, sepc: {} }))
	expect(checked.ok ? [] : checked.findings.map(({ code, path }) => `${code} ${path.join('.')}`).sort()).toEqual([
		'SL0204 metadata.nam',
		'SL0204 sepc',
		'SL0205 spec.egressFilter',
		'SL0206 metadata.name',
	])
})

test('a field with a wrong name is not said to be missing as well', () => {
	const checked = checkSchema('Mesh', mesh({ metadata: { nmae: 'a' } }))
	expect(checked.ok ? [] : checked.findings.map(({ code }) => code)).toEqual(['SL0204'])
})
