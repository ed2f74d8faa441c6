import type { Context, Hono } from 'hono'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { type Result, succeed } from '#base/result.ts'
import { type ControllerCommand, isNamed, type RolloutVerb } from '#controller/commands.ts'
import type { DaemonFace } from '#controller/face.ts'
import { answerError } from './answer-error.ts'
import type { LooksAnswer, RolloutAnswer } from './api.ts'
import { carryOut } from './carry-out.ts'
import type { JournalReader } from './journal-reader.ts'
import { type Asked, readCommandBody, readTime } from './read-command-body.ts'

export type RolloutRouteOptions = { readonly face: DaemonFace; readonly clock: Clock; readonly journal: JournalReader }

/** As paths write them. */
const verbs = {
	approve: 'approve',
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
		const name = context.req.param('id')
		const rollout = face.status().rollouts.find(({ id, lanes }) => {
			return isNamed(name, { id, routes: lanes.flatMap(({ routes }) => routes) })
		})
		if (rollout === undefined) return answerError(context, 'NOT_FOUND', `there is no rollout ${name}`)
		const { id } = rollout
		const history = await journal.newest(limits.apiHistoryScanned, ({ entry }) => entry.rollout === id)
		const body: RolloutAnswer = {
			apiVersion: 'sluice/v1',
			kind: 'Rollout',
			rollout,
			history: history.slice(-limits.apiHistoryShown),
		}
		return context.json(body)
	})
	app.get('/api/v1/rollouts/:id/looks', async (context) => {
		const id = context.req.param('id')
		const after = context.req.query('after') ?? '0'
		if (!/^\d{1,9}$/.test(after)) return answerError(context, 'BAD_REQUEST', 'after is the number of a look')
		const records = await face.readLooks(id, Number(after), limits.looksInAnswer)
		if (records.length === 0 && !face.status().rollouts.some((rollout) => rollout.id === id))
			return answerError(context, 'NOT_FOUND', `there is no rollout ${id}`)
		const body: LooksAnswer = {
			apiVersion: 'sluice/v1',
			kind: 'LookList',
			rollout: id,
			looks: records.map((record) => JSON.parse(record.body)),
			next: records.length < limits.looksInAnswer ? null : (records.at(-1)?.sequence ?? null),
		}
		return context.json(body)
	})
	for (const [path, kind] of Object.entries(verbs)) {
		app.post(`/api/v1/rollouts/:id/${path}`, (context) =>
			obey(context, options, (asked) => ({ kind, rollout: context.req.param('id'), ...asked })),
		)
	}
	app.post('/api/v1/rollouts/:id/abort', async (context) =>
		carryOut(context, options, readAbort(context.req.param('id'), await context.req.text())),
	)
	app.post('/api/v1/adopt', (context) => obey(context, options, (asked) => ({ kind: 'adopt', ...asked })))
	app.post('/api/v1/revisions/:id/accept', (context) =>
		obey(context, options, (asked) => ({ kind: 'accept', revision: context.req.param('id'), ...asked })),
	)
}

/** Reads `{"actor": "…", "reason": "…", "rampMs": 600000}`; without `rampMs` it goes back at once. */
function readAbort(rollout: string, text: string): Result<ControllerCommand, string> {
	const asked = readCommandBody(text)
	if (!asked.ok) return asked
	const rampMs = readTime('rampMs', text, limits.rampMs)
	if (!rampMs.ok) return rampMs
	if (rampMs.value === null) return succeed({ kind: 'abort', rollout, ...asked.value })
	return succeed({ kind: 'abortByRamp', rollout, overMs: rampMs.value, ...asked.value })
}

async function obey(
	context: Context,
	options: RolloutRouteOptions,
	toCommand: (asked: Asked) => ControllerCommand,
): Promise<Response> {
	const asked = readCommandBody(await context.req.text())
	return carryOut(context, options, asked.ok ? succeed(toCommand(asked.value)) : asked)
}
