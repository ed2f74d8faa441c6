// From a commit to the last ACK, with the whole daemon, Git and three real Envoys: for a change that goes out at once,
// for the first step of a rollout, and for the way back. The daemon is told of each commit, so that the poll interval
// does not count.
import { performance } from 'node:perf_hooks'
import { limits } from '#base/limits.ts'
import { systemClock } from '#base/system-clock.ts'
import type { GitRepository } from '#lab/git-repository.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until, withDeadline } from '#lab/until.ts'
import { openRealMesh, type RealMesh, routeFile } from './real-mesh.ts'
import { type Bench, type Figures, median, rounded } from './report.ts'

const rounds = 5
const deadlineMs = 30_000

/** What is timed, and how it is called in the report. */
const parts = {
	accepted: 'a commit is read and accepted',
	atOnce: 'a change that goes out at once',
	firstStep: 'the first step of a rollout',
	wayBack: 'the way back',
} as const

type Part = keyof typeof parts

export const benchCommit: Bench = async (say) => {
	await using mesh = await openRealMesh(say)
	const withTimeout = (seconds: number) =>
		mesh.route.replace('match:', `timeout: { perRequest: { unit: s, value: ${seconds} } }\n    match:`)
	const times: Record<Part, number[]> = { accepted: [], atOnce: [], firstStep: [], wayBack: [] }
	const git: number[] = []
	for (let round = 0; round < rounds; round += 1) {
		git.push(await timeGit(mesh.repository))
		const text = withTimeout(20 + round)
		const atOnce = await timeCommit(mesh, { text, event: 'mesh.applied' })
		times.accepted.push(atOnce.acceptedMs)
		times.atOnce.push(atOnce.ackedMs)
		const shifted = `${text}        - { virtualNode: serviceBv2, weight: 100 }\n`
		times.firstStep.push((await timeCommit(mesh, { text: shifted, event: 'rollout.advanced' })).ackedMs)
		times.wayBack.push((await timeCommit(mesh, { text, event: 'rollout.rollingBack' })).ackedMs)
		await until({ clock: systemClock, deadlineMs, what: 'the rollout ends' }, async () =>
			mesh.daemon.status().rollouts.every(({ endedAt }) => endedAt !== null) ? true : null,
		)
	}
	return report(times, median(git), say)
}

function report(times: Readonly<Record<Part, readonly number[]>>, gitMs: number, say: (line: string) => void): Figures {
	say(`asking Git and fetching a commit takes ${gitMs.toFixed(0)} ms by itself; from a commit until`)
	const figures = Object.entries(parts).map(([part, words]) => {
		const ms = median(times[part as Part])
		const until = part === 'accepted' ? '' : ' is ACKed by all'
		say(`  ${`${words}${until}`.padEnd(48)} ${ms.toFixed(0).padStart(5)} ms, ${(ms / gitMs).toFixed(1)} times that`)
		return [part, { ms: rounded(ms), ratioToGit: rounded(ms / gitMs) }]
	})
	const flushS = limits.flushIntervalMs / 1000
	say(`The first step waits until the new target is reported healthy; Envoys report every ${flushS} s.`)
	return { rounds, gitMs: rounded(gitMs), ...Object.fromEntries(figures) }
}

type Times = { readonly acceptedMs: number; readonly ackedMs: number }

/** Commits the route file; the times until it is accepted, and until all have ACKed what `event` published. */
async function timeCommit(
	{ repository, daemon, allHold }: RealMesh,
	{ text, event }: { readonly text: string; readonly event: string },
): Promise<Times> {
	const acked = Promise.withResolvers<number>()
	let acceptedAtMs = Number.NaN
	let journalled = false
	const forget = [
		daemon.onJournal((entry) => {
			if (entry.event === 'revision.accepted') acceptedAtMs = performance.now()
			journalled ||= entry.event === event
		}),
		daemon.onObservation(({ kind }) => {
			if (kind === 'converged' && journalled && allHold()) acked.resolve(performance.now())
		}),
	]
	await repository.commit(event, { [routeFile]: text })
	const sinceMs = performance.now()
	await daemon.poll()
	const what = `${event} and its last ACK`
	const ackedAtMs = await withDeadline(acked.promise, { clock: systemClock, deadlineMs, what })
	for (const stop of forget) stop()
	return { acceptedMs: acceptedAtMs - sinceMs, ackedMs: ackedAtMs - sinceMs }
}

/** What Git alone takes: asking where the branch stands, and fetching a commit. */
async function timeGit(repository: GitRepository): Promise<number> {
	using mirror = makeTempDirectory('bench-mirror')
	await repository.git('init', '--quiet', '--bare', mirror.path)
	const sinceMs = performance.now()
	await repository.git('ls-remote', repository.path, 'refs/heads/main')
	await repository.git('--git-dir', mirror.path, 'fetch', '--quiet', '--depth=1', repository.path, 'main')
	return performance.now() - sinceMs
}
