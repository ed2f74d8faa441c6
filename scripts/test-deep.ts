// `npm run test:deep -- NAME [--seed S]`: the test files whose path contains NAME, with many more cases than
// `npm test` has time for. The seed is printed; the same seed makes the same cases.
import { parseArgs } from 'node:util'
import { runTool } from './run-tool.ts'

function main(): number {
	const { values, positionals } = parseArgs({ options: { seed: { type: 'string' } }, allowPositionals: true })
	const [name, ...more] = positionals
	const seed = values.seed ?? String(freshSeed())
	if (name === undefined || more.length > 0 || !/^\d+$/.test(seed)) {
		console.error('usage: npm run test:deep -- NAME [--seed NUMBER]')
		return 2
	}
	const again = `npm run test:deep -- ${name} --seed ${seed}`
	console.log(`seed ${seed}; the same again: ${again}`)
	const code = runTool('vitest', ['run', name], { SLUICE_DEPTH: 'deep', SLUICE_SEED: seed })
	if (code !== 0) console.log(`failed with seed ${seed}; the same again: ${again}`)
	return code
}

function freshSeed(): number {
	return Math.floor(Math.random() * 2 ** 31)
}

process.exitCode = main()
