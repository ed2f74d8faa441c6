import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import type { Diagnostic } from '#base/diagnostic.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { describeRefusal } from './admit-files.ts'
import { createGitCommand, type GitFailure } from './git-command.ts'
import { createGitMirror } from './git-mirror.ts'
import { readGitRevision } from './git-revision.ts'
import { type GitTarget, parseGitTarget } from './git-target.ts'
import { createLookLoop, pollDelayMs, retryDelayMs } from './look-loop.ts'
import type { Source, SourceEvent } from './source.ts'

export type GitSourceOptions = {
	/** https or ssh URL, or a path. With `branch` and `path` checked beforehand by `parseGitTarget`. */
	readonly url: string
	readonly branch: string
	/** Folder in the repository that holds the mesh; empty for all of it. */
	readonly path: string
	/** The mirror's own directory: a cache, made and thrown away as needed. */
	readonly mirrorDir: string
	readonly pollMs: number
	readonly clock: Clock
	readonly random: Random
	readonly log: Log
	readonly emit: (event: SourceEvent) => void
	/** The commit that the state was last made from; null before the first. A branch that does not follow it is refused. */
	readonly accepted: () => string | null
	/** The daemon's environment, of which git sees a named part (git-environment.ts). */
	readonly ambient?: Readonly<Record<string, string | undefined>>
}

type Refusal = Extract<SourceEvent, { kind: 'refused' }>

/**
 * Watches a branch of a Git repository. Asks the remote where the branch stands, fetches only when it moved, and hands
 * on a commit whole: one that does not follow the last one, holds no mesh, or breaks a limit is refused.
 */
export function createGitSource(options: GitSourceOptions): Source {
	const { clock, random, log, emit, accepted } = options
	const parsed = parseGitTarget(options)
	assert(parsed.ok, 'the settings of a Git source are checked before it is made')
	const target = parsed.value
	const ambient = options.ambient ?? process.env
	const git = createGitCommand({ target, mirrorDirectory: options.mirrorDir, clock, ambient })
	const mirror = createGitMirror({ target, directory: options.mirrorDir, git, log })
	/** The last commit handed on. It may be refused for its content: then the branch may go back to what was accepted. */
	let last = accepted()
	/** The refusal in force: the branch is not read again until it moves or a person accepts. */
	let refusal: Refusal | null = null
	let acceptedId: string | null = null
	let failures = 0
	let open = true

	async function look(): Promise<number> {
		const found = await catchFileErrors(findEvent)
		if (!found.ok) return reportFailure(found.error)
		failures = 0
		report(found.value)
		return pollDelayMs(options.pollMs, random)
	}

	function report(event: SourceEvent): void {
		refusal = event.kind === 'refused' ? event : null
		if (event.kind === 'revision') {
			last = event.revision.id
			acceptedId = null
		}
		if (open) emit(event)
	}

	function reportFailure(failure: GitFailure): number {
		failures += 1
		const retryInMs = retryDelayMs(failures, random)
		if (open) {
			const message = `cannot read ${target.branch} of ${target.shown}: ${failure.text}`
			log.warn('git.poll.failed', { kind: failure.kind, message, failures, retryInMs })
			emit({ kind: 'unreachable', code: 'SL0001', message, retryInMs })
		}
		return retryInMs
	}

	async function findEvent(): Promise<Result<SourceEvent, GitFailure>> {
		const remote = await mirror.askRemote()
		if (!remote.ok) return remote
		if (remote.value === null) return succeed(refuseMissingBranch(target))
		if (isKnown(remote.value)) return succeed({ kind: 'unchanged', id: remote.value })
		if (refusal !== null && isStillRefused(refusal, remote.value)) return succeed(refusal)
		const fetched = await mirror.fetchBranch(remote.value)
		if (!fetched.ok) return fetched
		if (isKnown(fetched.value)) return succeed({ kind: 'unchanged', id: fetched.value })
		const judged = await judge(fetched.value)
		if (judged.ok || judged.error.kind !== 'exit') return judged
		// What was fetched and checked must be readable: the mirror is broken, and only a cache.
		await mirror.discard(judged.error.text)
		const again = await mirror.fetchBranch(remote.value)
		return again.ok ? judge(again.value) : again
	}

	function isKnown(id: string): boolean {
		if (id === accepted()) last = id
		return id === last
	}

	function isStillRefused(refused: Refusal, id: string): boolean {
		return refused.revision?.id === id && !(refused.acceptable && acceptedId === id)
	}

	/** The event for the commit `id`, which is in the mirror and is not the last one. */
	async function judge(id: string): Promise<Result<SourceEvent, GitFailure>> {
		const history = await findRewrite(id)
		if (!history.ok) return history
		const read = await readGitRevision(mirror, target, id)
		if (!read.ok) return read
		const { info, files, refusals } = read.value
		const diagnostics = [...history.value, ...refusals]
		const isAcceptable = diagnostics.every(({ code }) => code === 'SL0002' || code === 'SL0003')
		if (diagnostics.length === 0 || (isAcceptable && acceptedId === id)) {
			return succeed({ kind: 'revision', revision: { ...info, files } })
		}
		return succeed({ kind: 'refused', revision: info, diagnostics, acceptable: isAcceptable })
	}

	async function findRewrite(id: string): Promise<Result<readonly Diagnostic[], GitFailure>> {
		const base = accepted()
		if (base === null) return succeed([])
		const history = await mirror.compareHistory(base, id)
		if (!history.ok) return history
		if (history.value === 'follows') return succeed([])
		const why = history.value === 'rewritten' ? 'does not follow' : 'has another history than'
		const message = `${target.branch} was rewritten: ${id.slice(0, 12)} ${why} ${base.slice(0, 12)}, the last commit taken`
		return succeed([describeRefusal('SL0002', '', message, 'restore the branch, or accept the rewritten one')])
	}

	const loop = createLookLoop({ clock, look })
	return {
		start: loop.start,
		poll: loop.poll,
		accept(id) {
			acceptedId = id
			log.info('git.revision.accepted', { id })
			return loop.poll()
		},
		async close() {
			open = false
			git.close()
			await loop.close()
		},
	}
}

function refuseMissingBranch(target: GitTarget): SourceEvent {
	const message = `${target.shown} has no branch ${target.branch}: it was deleted or renamed, or nothing was pushed yet`
	const diagnostics = [describeRefusal('SL0003', '', message, 'push the branch, or name another one')]
	return { kind: 'refused', revision: null, diagnostics, acceptable: false }
}

/** The mirror's directory may be full, read-only or gone: that is an operating failure like git's own. */
async function catchFileErrors<Value>(
	work: () => Promise<Result<Value, GitFailure>>,
): Promise<Result<Value, GitFailure>> {
	try {
		return await work()
	} catch (error) {
		if (!(error instanceof Error && 'syscall' in error)) throw error
		return fail({ kind: 'exit', exitCode: null, text: error.message })
	}
}
