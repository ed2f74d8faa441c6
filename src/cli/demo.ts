import type { Command } from 'commander'
import { type VerbContext, verbGroups } from './verb.ts'

type DemoFlags = { readonly headless?: true; readonly report?: string; readonly keep?: true }

export function addDemo(program: Command, { terminal, end }: VerbContext): void {
	program
		.command('demo')
		.helpGroup(verbGroups.other)
		.summary('see it work: three Envoys, real traffic, a rollout and a rollback, in about two minutes')
		.description('Runs two services and a bad version on this machine, everything real, and tells what happens.')
		.option('--headless', 'for machines: no colours')
		.option('--report <file>', 'write the closing table as JSON too')
		.option('--keep', 'stay up after the first chapter, and say what to try')
		.action(async ({ headless, report, keep }: DemoFlags) => {
			// Only this verb needs the lab: the others begin without.
			const { runDemo } = await import('#lab/demo/run-demo.ts')
			end(
				await runDemo({
					ending: keep === true ? 'keep' : 'close',
					reportFile: report ?? null,
					palette: terminal.color.out && headless !== true ? 'colour' : 'plain',
					say: terminal.out,
				}),
			)
		})
}
