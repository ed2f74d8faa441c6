/** How every verb ends, in one table: `--help` shows it, scripts rely on it, so a number never changes its meaning. */
export const exitCodes = {
	ok: { code: 0, meaning: 'done; nothing to tell' },
	failed: { code: 1, meaning: 'failed; the message says why' },
	changes: { code: 2, meaning: 'plan: there are changes (only with --detailed-exitcode)' },
	findings: { code: 3, meaning: 'validate, plan, status: the mesh has errors, or the newest revision is refused' },
	wentBack: { code: 4, meaning: 'status: a rollout was rolled back or aborted' },
	held: { code: 5, meaning: 'status: a rollout is held, or nothing is in force yet' },
	notTaken: { code: 6, meaning: 'explain: nothing takes the request' },
	usage: { code: 64, meaning: 'the command line or a setting is wrong' },
	badInput: { code: 65, meaning: 'what it should read cannot be read' },
	unreachable: { code: 69, meaning: 'no daemon answers' },
	timeout: { code: 75, meaning: 'it took too long; try again' },
	denied: { code: 77, meaning: 'the daemon does not allow it' },
} as const

export type Exit = keyof typeof exitCodes

/** The table for people, one line each. */
export function renderExitCodes(): string {
	return Object.values(exitCodes)
		.map(({ code, meaning }) => `  ${String(code).padStart(2)}  ${meaning}`)
		.join('\n')
}
