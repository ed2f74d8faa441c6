// Where a child of the lab begins when the program runs from its sources; the bundle begins at its own `main.ts`.
import { runLabVerb } from './verbs.ts'

await runLabVerb(process.argv.slice(2))
