import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { readBoundedFile } from '#base/read-bounded-file.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { Trouble } from '#discovery/discovered.ts'
import { toldTrouble } from '#discovery/told-trouble.ts'
import { type IdentityTokens, parseIdentityTokens } from '#xds/identity-tokens.ts'
import { createRepeatedLook } from './repeated-look.ts'

// Whose token is whose, from a file that is read again as certificates are: the last good text stays, and what two looks in
// a row find alike counts. A line that is gone is believed no more from then on.

export type XdsTokens = {
	/** The last good ones. */
	current(): IdentityTokens
	troubles(): readonly Trouble[]
	/** Looks now. Resolves when it has looked. */
	look(): Promise<void>
	close(): Promise<void>
}

export type XdsTokensOptions = {
	readonly file: string
	readonly clock: Clock
	readonly log: Log
}

const subject = 'the file of tokens'

/** Fails with what is wrong with the file. */
export async function openXdsTokens({ file, clock, log }: XdsTokensOptions): Promise<Result<XdsTokens, string>> {
	const first = await readTokens(file)
	if (!first.ok) return fail(first.error)
	let good = first.value
	/** Hash of what the last look found. */
	let seen = good.hash
	let trouble: Trouble | null = null
	const { look, close } = createRepeatedLook({
		clock,
		firstMs: limits.secretPollMs,
		async lookOnce(isOpen) {
			const found = await readTokens(file)
			const isSure = !isOpen() || take(found)
			return isSure ? limits.secretPollMs : limits.secretQuietMs
		},
	})

	/** False when something new is there, which the next look is to find again. */
	function take(found: Result<Found, string>): boolean {
		const hash = found.ok ? found.value.hash : found.error
		const isNew = hash !== good.hash && hash !== seen
		seen = hash
		if (isNew) return false
		const finding = found.ok ? null : { code: 'SL0511', message: `${found.error}; the last good one stays` }
		trouble = toldTrouble(trouble, finding, { subject, log, wallMs: clock.wallMs() })
		if (!found.ok || hash === good.hash) return true
		good = found.value
		log.info('xds.tokens', { file, count: good.tokens.all.size })
		return true
	}

	return succeed({
		current: () => good.tokens,
		troubles: () => (trouble === null ? [] : [trouble]),
		look,
		close,
	})
}

type Found = { readonly tokens: IdentityTokens; readonly hash: string }

/** Fails with half a sentence after `the file of tokens`, which holds nothing of the file but places. */
async function readTokens(file: string): Promise<Result<Found, string>> {
	const read = await readBoundedFile(file, limits.xdsTokensBytes)
	if (!read.ok) return fail(`is ${file}, ${read.error}`)
	if (read.value === null) return fail(`is not there: ${file}`)
	const parsed = parseIdentityTokens(read.value)
	if (parsed.ok) return succeed({ tokens: parsed.value, hash: sha256Hex(read.value) })
	const places = parsed.error.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`)
	const more = places.length - limits.refusalFindings
	const untold = more > 0 ? [`and ${more} more`] : []
	return fail(`has mistakes: ${[...places.slice(0, limits.refusalFindings), ...untold].join('; ')}`)
}
