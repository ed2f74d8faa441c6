import { readFileSync, writeFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { LooksAnswer } from '#api/api.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type JudgedLook, judgedLookFormat } from '#rollout/judged-look.ts'
import { replayLooks, type WhatIf } from '#rollout/replay-looks.ts'
import { type ApiClient, type CallFailure, createApiClient } from './api-client.ts'
import { addSettingFlags, type SettingFlags, settingsOf } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import { renderReplay } from './replay-text.ts'
import { valueOf } from './settings.ts'
import { paintFor } from './terminal.ts'
import type { VerbContext } from './verb.ts'

// `sluice rollout replay`: what was judged, judged again.

type ReplayFlags = SettingFlags & {
	readonly output: 'text' | 'json'
	readonly file?: string
	readonly save?: string
	readonly alpha?: number
	readonly toleranceRatio?: number
	readonly tolerance?: number
}

export function addReplay(rollout: Command, context: VerbContext): void {
	const replay = rollout
		.command('replay')
		.description('judge the looks of a rollout again, as they were or by another policy')
		.argument('[id]', 'as `rollout list` shows it; or --file')
		.option('--file <file>', 'looks that were saved, instead of asking the daemon')
		.option('--save <file>', 'write the looks down, for later')
		.addOption(new Option('--alpha <number>', 'as if the errors guard had this alpha').argParser(between(0.0001, 0.5)))
		.addOption(new Option('--tolerance-ratio <number>', 'as if it had this toleranceRatio').argParser(between(1, 100)))
		.addOption(new Option('--tolerance <points>', 'as if it had this tolerance').argParser(between(0, 100)))
		.addOption(new Option('-o, --output <form>', 'how to say it').choices(['text', 'json']).default('text'))
		.addHelpText('after', afterHelp)
	addSettingFlags(replay, ['http']).action(async (id: string | undefined, flags: ReplayFlags) =>
		context.end(await run(id, flags, context)),
	)
}

const afterHelp = `
Ends with 1 when today's code judges a look otherwise than it was judged. The hard limit, thresholds and hooks act
outside of looks: they are not replayed.`

function between(least: number, most: number): (text: string) => number {
	return (text) => {
		const value = text.trim() === '' ? Number.NaN : Number(text)
		if (value >= least && value <= most) return value
		throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`)
	}
}

async function run(id: string | undefined, flags: ReplayFlags, context: VerbContext): Promise<Exit> {
	const { terminal } = context
	const read = readable(await readLooks(id, flags, context))
	if (!read.ok) {
		terminal.talk(`sluice: ${toPrintable(read.error.message)}`)
		return read.error.exit
	}
	const { rollout, looks } = read.value
	if (flags.save !== undefined) {
		const problem = save(flags.save, read.value)
		if (problem !== null) {
			terminal.talk(`sluice: ${toPrintable(problem)}`)
			return 'failed'
		}
	}
	const whatIf = whatIfOf(flags)
	const replay = replayLooks(looks)
	const other = Object.keys(whatIf).length === 0 ? null : replayLooks(looks, whatIf)
	if (flags.output === 'json') terminal.out(toPrintableJson({ rollout, whatIf, replay, other }))
	else terminal.out(renderReplay({ rollout, whatIf, replay, other }, paintFor(terminal.color.out)))
	return replay.looks.some(({ differs }) => differs) ? 'failed' : 'ok'
}

function whatIfOf({ alpha, toleranceRatio, tolerance }: ReplayFlags): WhatIf {
	return {
		...(alpha === undefined ? {} : { alpha }),
		...(toleranceRatio === undefined ? {} : { toleranceRatio }),
		...(tolerance === undefined ? {} : { tolerancePpm: Math.round(tolerance * 10_000) }),
	}
}

/** Those of format 1 do not say what was drawn: it was requests, as what is not said means still. */
const readFormats: readonly unknown[] = [1, judgedLookFormat]

/** A look holds what the guard of its time looked at. */
function readable(read: Result<Looks, CallFailure>): Result<Looks, CallFailure> {
	const formats = read.ok ? read.value.looks.map(({ format }): unknown => format) : []
	const other = formats.findIndex((format) => !readFormats.includes(format))
	if (other === -1) return read
	const message = `the looks are of format ${formats[other]}, which another Sluice wrote; this one reads ${readFormats.join(' and ')}`
	return fail({ exit: 'badInput', message })
}

type Looks = { readonly rollout: string; readonly looks: readonly JudgedLook[] }

async function readLooks(
	id: string | undefined,
	flags: ReplayFlags,
	context: VerbContext,
): Promise<Result<Looks, CallFailure>> {
	if ((id === undefined) === (flags.file === undefined))
		return fail({ exit: 'usage', message: 'say the id of a rollout, or --file' })
	if (flags.file !== undefined) return readSaved(flags.file)
	const settings = settingsOf(flags, context)
	if (!settings.ok) return fail({ exit: 'usage', message: settings.error.join('; ') })
	return askForLooks(createApiClient(valueOf(settings.value, 'http')), id ?? '')
}

async function askForLooks(client: ApiClient, id: string): Promise<Result<Looks, CallFailure>> {
	const looks: JudgedLook[] = []
	let after: number | null = 0
	while (after !== null && looks.length < limits.looksKept) {
		const path: string = `/api/v1/rollouts/${encodeURIComponent(id)}/looks?after=${after}`
		const answer: Result<LooksAnswer, CallFailure> = await client.get<LooksAnswer>(path)
		if (!answer.ok) return answer
		looks.push(...answer.value.looks)
		after = answer.value.next
	}
	return succeed({ rollout: id, looks })
}

/** In the form of the API's answer. */
function save(path: string, { rollout, looks }: Looks): string | null {
	try {
		writeFileSync(
			path,
			`${JSON.stringify({ apiVersion: 'sluice/v1', kind: 'LookList', rollout, looks, next: null })}\n`,
		)
		return null
	} catch (error) {
		return `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`
	}
}

function readSaved(path: string): Result<Looks, CallFailure> {
	try {
		const saved = JSON.parse(readFileSync(path, 'utf8')) as Partial<LooksAnswer> | null
		if (saved?.kind !== 'LookList' || !Array.isArray(saved.looks))
			return fail({ exit: 'badInput', message: `${path} holds no saved looks` })
		return succeed({ rollout: String(saved.rollout), looks: saved.looks })
	} catch (error) {
		return fail({ exit: 'badInput', message: `cannot read ${path}: ${error instanceof Error ? error.message : error}` })
	}
}
