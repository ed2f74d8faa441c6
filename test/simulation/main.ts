// npm run simulate -- --rollouts N --seed S: readable text, one JSON line last.
import { parseArgs } from 'node:util'
import { runSimulation } from './run.ts'

const { values } = parseArgs({
	options: { rollouts: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
})
const summary = await runSimulation({
	rollouts: Number(values.rollouts),
	seed: Number(values.seed),
	onFailure(outcome) {
		console.log(`seed ${outcome.seed}: ended ${outcome.ended} with faults ${outcome.faults.join(', ') || 'none'}`)
		for (const { invariant, atMs, text } of outcome.violations)
			console.log(`  at ${(atMs / 1000).toFixed(2)} s  ${invariant}: ${text}`)
		for (const error of outcome.errors) console.log(`  ${error}`)
	},
})
const { failures, ...figures } = summary
if (failures.length > 0) console.log(`replay one with: npm run simulate -- --rollouts 1 --seed ${failures[0]?.seed}`)
console.log(JSON.stringify(figures))
process.exitCode = failures.length > 0 ? 1 : 0
