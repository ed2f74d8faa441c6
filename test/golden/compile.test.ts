// test/golden/compile/NAME/in.json → out.yaml: every resource of one proxy, with Envoy's own field names. `-u` rewrites.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { expect, test } from 'vitest'
import { type CompileInput, compileInput, readable } from '../fixtures/compile-fixture.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { findInconsistencies } from '#snapshot/find-inconsistencies.ts'

const root = join(import.meta.dirname, 'compile')

test.for(readdirSync(root))('compile/%s', async (name) => {
	const input = JSON.parse(readFileSync(join(root, name, 'in.json'), 'utf8')) as CompileInput
	const compiled = compileInput(input)
	const shown = compiled.map((resource) => ({
		type: resource.typeUrl.split('.').at(-1),
		made_of: resource.madeOf,
		needs: Object.values(resource.references).flat(),
		resource: readable(resource),
	}))
	await expect(dump(shown, { lineWidth: -1, noRefs: true })).toMatchFileSnapshot(join(root, name, 'out.yaml'))
	expect(findInconsistencies(encodeSnapshot(compiled, null).snapshot)).toEqual([])
})
