// npm run bench -- NAME: readable text, one JSON line last. What counts are the ratios within one run: the times beside
// them are this machine's, at this moment. Nothing passes or fails here.
import { benchCommit } from './commit.ts'
import { benchCompile } from './compile.ts'
import type { Bench } from './report.ts'
import { benchTurn } from './turn.ts'

const benches: Readonly<Record<string, Bench>> = { compile: benchCompile, commit: benchCommit, turn: benchTurn }

const [name = ''] = process.argv.slice(2)
const bench = benches[name]
if (bench === undefined) {
	console.error(`npm run bench -- NAME: there are ${Object.keys(benches).join(', ')}`)
	process.exitCode = 64
} else {
	const figures = await bench((line) => console.log(line))
	console.log(JSON.stringify({ bench: name, ...figures }))
}
