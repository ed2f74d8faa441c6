import type { Context, Hono } from 'hono'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { CommandReply, ControllerCommand, RolloutVerb } from '#controller/commands.ts'
import type { DaemonFace } from '#controller/face.ts'
import { answerError } from './answer-error.ts'
import type { CommandAnswer, RolloutAnswer } from './api.ts'
import type { JournalReader } from './journal-reader.ts'
import { readCommandBody } from './read-command-body.ts'

export type RolloutRouteOptions = { readonly face: DaemonFace; readonly clock: Clock; readonly journal: JournalReader }

/** As paths write them. */
const verbs = {
	abort: 'abort',
	pause: 'pause',
	promote: 'promote',
	'promote-full': 'promoteFull',
	resume: 'resume',
	retry: 'retry',
} as const satisfies Readonly<Record<string, RolloutVerb>>

/** Rollouts, and what a person may ask of them and of a refused revision. Ids are percent-encoded in paths. */
export function addRolloutRoutes(app: Hono, options: RolloutRouteOptions): void {
	const { face, journal } = options
	app.get('/api/v1/rollouts', (context) =>
		context.json({ apiVersion: 'sluice/v1', kind: 'RolloutList', rollouts: face.status().rollouts }),
	)
	app.get('/api/v1/rollouts/:id', async (context) => {
		const id = context.req.param('id')
		const rollout = face.status().rollouts.find((each) => each.id === id)
		if (rollout === undefined) return answerError(context, 'NOT_FOUND', `there is no rollout ${id}`)
		const history = await journal.newest(limits.apiHistoryScanned, ({ entry }) => entry.rollout === id)
		const body: RolloutAnswer = {
			apiVersion: 'sluice/v1',
			kind: 'Rollout',
			rollout,
			history: history.slice(-limits.apiHistoryShown),
		}
		return context.json(body)
	})
	for (const [path, kind] of Object.entries(verbs)) {
		app.post(`/api/v1/rollouts/:id/${path}`, (context) =>
			carryOut(context, options, (asked) => ({ kind, rollout: context.req.param('id'), ...asked })),
		)
	}
	app.post('/api/v1/adopt', (context) => carryOut(context, options, (asked) => ({ kind: 'adopt', ...asked })))
	app.post('/api/v1/revisions/:id/accept', (context) =>
		carryOut(context, options, (asked) => ({ kind: 'accept', revision: context.req.param('id'), ...asked })),
	)
}

async function carryOut(
	context: Context,
	{ face, clock }: RolloutRouteOptions,
	toCommand: (asked: { actor: string; reason: string }) => ControllerCommand,
): Promise<Response> {
	const asked = readCommandBody(await context.req.text())
	if (!asked.ok) return answerError(context, 'BAD_REQUEST', asked.error)
	const reply = await replyInTime(face.command(toCommand(asked.value)), clock)
	if (reply === null) {
		const text = `no answer within ${limits.apiCommandMs / 1000} s; the command may still be carried out, status will show it`
		return answerError(context, 'TIMEOUT', text)
	}
	if (reply.kind === 'refused') return answerError(context, reply.code, reply.text)
	const body: CommandAnswer = { apiVersion: 'sluice/v1', kind: 'CommandDone', text: reply.text }
	return context.json(body)
}

/** The reply, or null when the deadline comes first. */
function replyInTime(reply: Promise<CommandReply>, clock: Clock): Promise<CommandReply | null> {
	return new Promise((resolve, reject) => {
		const deadline = clock.setTimer(limits.apiCommandMs, () => resolve(null))
		reply.then(resolve, reject).finally(() => deadline.cancel())
	})
}
