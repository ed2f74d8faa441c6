import type { Hono } from 'hono'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { ControllerCommand, Scope } from '#controller/commands.ts'
import { type CarryOutOptions, carryOut } from './carry-out.ts'
import { parseJson, readCommandBody } from './read-command-body.ts'

/** Commands that name a part of the meshes: `{"actor", "reason", "mesh", "router", "route"}`, and a freeze its end. */
export function addScopedRoutes(app: Hono, options: CarryOutOptions): void {
	app.post('/api/v1/freeze', async (context) =>
		carryOut(context, options, readFreeze(await context.req.text(), options.clock.wallMs())),
	)
	app.post('/api/v1/unfreeze', async (context) => carryOut(context, options, readUnfreeze(await context.req.text())))
	app.post('/api/v1/rollback', async (context) => carryOut(context, options, readRollback(await context.req.text())))
}

function readFreeze(text: string, nowWallMs: number): Result<ControllerCommand, string> {
	const scoped = readScoped(text)
	if (!scoped.ok) return scoped
	const { body, ...command } = scoped.value
	const until = readUntil(body, nowWallMs)
	return until.ok ? succeed({ kind: 'freeze', ...command, untilWallMs: until.value }) : until
}

function readUnfreeze(text: string): Result<ControllerCommand, string> {
	const scoped = readScoped(text)
	if (!scoped.ok) return scoped
	const { body: _, ...command } = scoped.value
	return succeed({ kind: 'unfreeze', ...command })
}

function readRollback(text: string): Result<ControllerCommand, string> {
	const scoped = readScoped(text)
	if (!scoped.ok) return scoped
	const { body: _, ...command } = scoped.value
	return command.scope.route === null
		? fail('route names the route to take back')
		: succeed({ kind: 'rollback', ...command })
}

type Body = Partial<Readonly<Record<string, unknown>>>

type Scoped = {
	readonly actor: string
	readonly reason: string
	readonly scope: Scope
	readonly body: Body
}

function readScoped(text: string): Result<Scoped, string> {
	const asked = readCommandBody(text)
	if (!asked.ok) return asked
	const body = parseJson(text) as Body
	const { mesh = null, router = null, route = null } = body
	if (!isName(mesh) || !isName(router) || !isName(route)) return fail('mesh, router and route are names')
	if (route !== null && router === null) return fail('a route is named with its router')
	return succeed({ ...asked.value, scope: { mesh, router, route }, body })
}

function isName(value: unknown): value is string | null {
	return value === null || (typeof value === 'string' && /^[A-Za-z0-9_-]{1,255}$/.test(value))
}

function readUntil({ until = null, forMs = null }: Body, nowWallMs: number): Result<number | null, string> {
	if (until !== null && forMs !== null) return fail('until and forMs are two ways to say the same: use one')
	if (until === null && forMs === null) return succeed(null)
	const untilMs = forMs === null ? timeOf(until) : Number.isSafeInteger(forMs) ? nowWallMs + Number(forMs) : Number.NaN
	if (Number.isNaN(untilMs))
		return fail('until is a time with its zone, 2026-12-27T08:00:00Z, and forMs a whole number of milliseconds')
	if (untilMs <= nowWallMs) return fail('the freeze would end before it begins')
	const mostDays = limits.freezeMs / 86_400_000
	return untilMs - nowWallMs <= limits.freezeMs
		? succeed(untilMs)
		: fail(`a freeze ends within ${mostDays} days; leave its end out for one that somebody is to lift`)
}

/** Without a zone it would be another time wherever the daemon runs. */
function timeOf(text: unknown): number {
	const isTime =
		typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
	return isTime ? Date.parse(text) : Number.NaN
}
