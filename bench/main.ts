// npm run bench -- NAME: readable text, one JSON line last. What counts are the ratios within one run: the times beside
// them are this machine's, at this moment. Nothing passes or fails here.
import { parseArgs } from 'node:util'
import { benchCommit } from './commit.ts'
import { benchCompile } from './compile.ts'
import { benchGuard } from './guard.ts'
import type { Bench } from './report.ts'
import { benchTelemetry } from './telemetry.ts'
import { benchTurn } from './turn.ts'
import { benchXds } from './xds.ts'

const benches: Readonly<Record<string, Bench>> = {
	compile: benchCompile,
	commit: benchCommit,
	turn: benchTurn,
	guard: benchGuard,
	xds: benchXds,
	telemetry: benchTelemetry,
}

const { values, positionals } = parseArgs({
	options: {
		runs: { type: 'string', default: '400' },
		seed: { type: 'string', default: '1' },
		large: { type: 'boolean', default: false },
		proxies: { type: 'string', default: '5000' },
	},
	allowPositionals: true,
})
const [name = ''] = positionals
const bench = benches[name]
const sizes = values.large ? 'large' : 'usual'
const { runs, seed, proxies } = values
const options = { runs: Number(runs), seed: Number(seed), proxies: Number(proxies), sizes } as const
if (bench === undefined || ![options.runs, options.seed, options.proxies].every(Number.isSafeInteger)) {
	console.error(
		`npm run bench -- NAME [--runs N] [--seed S] [--large] [--proxies N]: there are ${Object.keys(benches).join(', ')}`,
	)
	process.exitCode = 64
} else {
	const figures = await bench((line) => console.log(line), options)
	console.log(JSON.stringify({ bench: name, ...figures }))
}
