import type { Context } from 'hono'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Result } from '#base/result.ts'
import type { CommandReply, ControllerCommand } from '#controller/commands.ts'
import type { DaemonFace } from '#controller/face.ts'
import { answerError } from './answer-error.ts'
import type { CommandAnswer } from './api.ts'

export type CarryOutOptions = { readonly face: DaemonFace; readonly clock: Clock }

/** Lets the daemon do what a body asks for, and answers with what came of it. `asked` fails with what is wrong. */
export async function carryOut(
	context: Context,
	{ face, clock }: CarryOutOptions,
	asked: Result<ControllerCommand, string>,
): Promise<Response> {
	if (!asked.ok) return answerError(context, 'BAD_REQUEST', asked.error)
	const reply = await replyInTime(face.command(asked.value), clock)
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
