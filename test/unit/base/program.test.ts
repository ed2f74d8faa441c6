import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { entryUrl, type ProgramName, programs } from '#base/program.ts'

test.for(Object.keys(programs) as ProgramName[])('%s begins in a file of src/', (name) => {
	expect(entryUrl(name).pathname).toMatch(/\/src\/[a-z/-]+\.ts$/)
	expect(existsSync(entryUrl(name))).toBe(true)
})
