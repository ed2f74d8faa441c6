// npm run simulate -- --rollouts N --seed S: readable text, one JSON line last.
//   --seeds 3,17       just those
//   --scenario FILE    a life that was written down
//   --print            what the seeds stand for, a line each, to be written down
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { seededRandom } from '#base/random.ts'
import { runSimulation } from './run.ts'
import { readScenario, type Scenario, scenarioOf } from './scenario.ts'

const { values } = parseArgs({
	options: {
		rollouts: { type: 'string', default: '1000' },
		seed: { type: 'string', default: '1' },
		seeds: { type: 'string' },
		scenario: { type: 'string' },
		print: { type: 'boolean', default: false },
	},
})
if (values.print) for (const scenario of scenarios()) console.log(JSON.stringify(scenario))
else await run()

async function run(): Promise<void> {
	const { failures, ...figures } = await runSimulation({
		scenarios: scenarios(),
		onFailure(outcome) {
			console.log(`seed ${outcome.seed}: ended ${outcome.ended} with faults ${outcome.faults.join(', ') || 'none'}`)
			for (const { invariant, atMs, text } of outcome.violations)
				console.log(`  at ${(atMs / 1000).toFixed(2)} s  ${invariant}: ${text}`)
			for (const error of outcome.errors) console.log(`  ${error}`)
		},
	})
	if (failures.length > 0) console.log(`replay one with: npm run simulate -- --seeds ${failures[0]?.seed}`)
	console.log(JSON.stringify(figures))
	process.exitCode = failures.length > 0 ? 1 : 0
}

function* scenarios(): Generator<Scenario> {
	if (values.scenario !== undefined) {
		yield readScenario(readFileSync(values.scenario, 'utf8'))
		return
	}
	const first = Number(values.seed)
	const seeds = values.seeds?.split(',').map(Number)
	for (let index = 0; index < (seeds?.length ?? Number(values.rollouts)); index += 1) {
		const seed = seeds?.[index] ?? first + index
		yield scenarioOf(seed, seededRandom(seed))
	}
}
