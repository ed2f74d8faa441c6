import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generateManifestTypes } from '../../../scripts/generate-manifest-types.ts'

test('src/mesh/manifest.generated.ts is what the schemas give (else: npm run generate:types)', async () => {
	const written = readFileSync(join(import.meta.dirname, '../../../src/mesh/manifest.generated.ts'), 'utf8')
	expect(await generateManifestTypes()).toBe(written)
})
