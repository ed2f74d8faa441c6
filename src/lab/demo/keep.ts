import { once } from 'node:events'
import { systemClock } from '#base/system-clock.ts'
import { LabError } from '../lab-error.ts'
import { type Mark, markNow } from '../mark.ts'
import { formatHostPort, nodeNames } from './addresses.ts'
import { commandFile } from './daemon-process.ts'
import { routeFile } from './mesh-edits.ts'
import { answersOf, type Show } from './show.ts'

const lookMs = 5_000
/** A share that moved by less is told no news. */
const noticedShare = 0.03

/** Stays up and tells what changes, until Ctrl-C. Rejects with a LabError when something ends by itself. */
export async function keepUp(show: Show): Promise<void> {
	const { teller } = show
	for (const line of invitation(show)) teller.plain(line)
	const told = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => 'told' as const)
	let share = -1
	for (;;) {
		const from = markNow()
		if ((await Promise.race([told, pause()])) === 'told') break
		// What runs here gets the same Ctrl-C from the terminal: its end is no trouble then.
		const outcome = await Promise.race([told, tellTraffic(show, { from, shown: share })])
		if (outcome === 'told') break
		share = outcome
	}
	teller.tell('stopping; everything is removed')
}

type Shown = { readonly from: Mark; readonly shown: number }

/** Gives the share that was told last. */
async function tellTraffic(show: Show, { from, shown }: Shown): Promise<number> {
	const trouble = show.findTrouble()
	if (trouble !== null) throw new LabError('exited', trouble)
	const window = await show.load.between(from, markNow())
	const { answers, canaryAnswers } = answersOf(window)
	const share = canaryAnswers / Math.max(1, answers)
	if (window.failed === 0 && Math.abs(share - shown) < noticedShare) return shown
	const failed = window.failed === 0 ? 'none failed' : `${window.failed} FAILED`
	show.teller.tell(`traffic: ${(share * 100).toFixed(1)} % answered by version 2, ${failed} of ${window.requests}`)
	return share
}

function pause(): Promise<'later'> {
	return new Promise((resolve) => systemClock.setTimer(lookMs, () => resolve('later')))
}

/** What to look at, and three things to try, as commands to copy. */
function invitation({ stage }: Show): string[] {
	const { addresses, repository, envoys, apps, daemon } = stage
	const http = formatHostPort(addresses.http)
	const v2 = `http://${formatHostPort(apps.serviceBv2)}`
	const where = http === '127.0.0.1:8300' ? '' : ` --http ${http}`
	const targets = '- { virtualNode: serviceB, weight: 75 }\\n        - { virtualNode: serviceBv2, weight: 25 }'
	return [
		'',
		'Everything stays up until Ctrl-C. In another terminal:',
		`  alias sluice='${process.execPath} ${commandFile()}'`,
		`  cd ${repository.path}`,
		'',
		'Where to look',
		`  sluice status --watch${where}`,
		`  the API        http://${http}/api/v1/status`,
		...nodeNames.map(
			(name) => `  ${name.padEnd(14)} http://${envoys[name].adminAddress}/config_dump   log ${envoys[name].logFile}`,
		),
		`  the daemon     log ${daemon.logFile}`,
		'',
		'1. Ask for other weights, and watch them come in step by step',
		`  sed -i 's/- { virtualNode: serviceB, weight: 100 }/${targets}/' ${routeFile} && git commit -qam 'A quarter to version 2'`,
		'',
		'2. Make version 2 fail while it is brought in, and watch it go back by itself; then mend it',
		`  curl -X POST '${v2}/_fail?percent=100&status=503'`,
		`  curl -X POST '${v2}/_heal'`,
		`  sluice rollout retry 'serviceB/serviceB#1' --reason 'version 2 is mended'${where}   # or as \`sluice status\` names it`,
		'',
		'3. Break the YAML, and see it refused while the last good mesh stays in force; then take it back',
		"  echo 'kind: [' >> mesh.yaml && git commit -qam 'Oops'",
		'  git revert --no-edit HEAD',
		'',
	]
}
