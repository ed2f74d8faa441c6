import { hashValue } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { Result } from '#base/result.ts'
import type { SecretMaterial, Trouble } from './discovered.ts'
import { type ParsedSecret, parseSecret, type SecretTexts } from './parse-secret.ts'
import { toldTrouble } from './told-trouble.ts'

// One secret: the last good of it, and what the looks at its files lead to.

export type SecretEntry = {
	readonly name: string
	readonly about: SecretAbout
	good: ParsedSecret | null
	/** Hash of what `good` was read from. */
	taken: string
	/** Hash of what the last look found. */
	seen: string
	trouble: Trouble | null
	/** Since when nobody wants it; null while somebody does. Monotonic. */
	unwantedSinceMs: number | null
}

export type SecretAbout = {
	/** What messages begin with: `the secret web-cert`. */
	readonly subject: string
	/** Half a sentence for when none of its files is there. */
	readonly missing: string
	/** Why one that is whole is not taken all the same, in half a sentence, or null. */
	readonly refusal: (material: SecretMaterial) => string | null
}

export type Circumstances = { readonly log: Log; readonly wallMs: number }

/** `unsure`: something new is there, and the next look is to find it again. */
export type LookOutcome = 'same' | 'changed' | 'unsure'

export function createSecretEntry(name: string, about: SecretAbout): SecretEntry {
	return { name, about, good: null, taken: '', seen: '', trouble: null, unwantedSinceMs: null }
}

export function takeTexts(
	entry: SecretEntry,
	texts: Result<SecretTexts, string>,
	circumstances: Circumstances,
): LookOutcome {
	if (!texts.ok) return describeUnusable(entry, texts.error, circumstances)
	const { certificate, privateKey, authorities } = texts.value
	if (certificate === null && privateKey === null && authorities === null)
		return describeMissing(entry, entry.about.missing, circumstances)
	const found = hashValue([certificate, privateKey, authorities])
	if (found === entry.taken) return describeAge(entry, circumstances)
	if (found !== entry.seen) {
		entry.seen = found
		return 'unsure'
	}
	const parsed = parseSecret(texts.value)
	if (!parsed.ok) return describeUnusable(entry, parsed.error, circumstances)
	const refusal = entry.about.refusal(parsed.value.material)
	if (refusal !== null) return describeUnusable(entry, refusal, circumstances)
	return take(entry, parsed.value, { ...circumstances, found })
}

export function describeMissing(entry: SecretEntry, message: string, circumstances: Circumstances): 'same' {
	report(entry, { code: 'SL0506', message: withConsequence(message, entry) }, circumstances)
	return 'same'
}

function describeUnusable(entry: SecretEntry, message: string, circumstances: Circumstances): 'same' {
	report(entry, { code: 'SL0507', message: withConsequence(message, entry) }, circumstances)
	return 'same'
}

/** A certificate out of its time never replaces one that is in its. */
function take(
	entry: SecretEntry,
	parsed: ParsedSecret,
	about: Circumstances & { readonly found: string },
): LookOutcome {
	const { found, log, wallMs } = about
	if (entry.good !== null && isInTime(entry.good, wallMs) && !isInTime(parsed, wallMs)) {
		report(entry, { code: 'SL0508', message: withConsequence(outOfTime(parsed, wallMs), entry) }, about)
		return 'same'
	}
	const isNew = entry.good?.material.hash !== parsed.material.hash
	entry.good = parsed
	entry.taken = found
	log.info('discovery.secret', { name: entry.name, version: parsed.material.hash.slice(0, 12) })
	describeAge(entry, about)
	return isNew ? 'changed' : 'same'
}

function describeAge(entry: SecretEntry, circumstances: Circumstances): 'same' {
	const { wallMs } = circumstances
	const { good } = entry
	if (good === null || good.validity === null) report(entry, null, circumstances)
	else if (!isInTime(good, wallMs)) report(entry, { code: 'SL0508', message: outOfTime(good, wallMs) }, circumstances)
	else if (isSoonOver(good.validity, wallMs)) {
		const message = `expires on ${isoDate(good.validity.untilMs)}`
		report(entry, { code: 'SL0509', message }, circumstances)
	} else report(entry, null, circumstances)
	return 'same'
}

function isInTime({ validity }: ParsedSecret, wallMs: number): boolean {
	return validity === null || (validity.fromMs <= wallMs && wallMs < validity.untilMs)
}

function isSoonOver({ fromMs, untilMs }: NonNullable<ParsedSecret['validity']>, wallMs: number): boolean {
	const { certificateSoonMs, certificateSoonShare } = limits
	return untilMs - wallMs < Math.min(certificateSoonMs, (untilMs - fromMs) * certificateSoonShare)
}

function outOfTime({ validity }: ParsedSecret, wallMs: number): string {
	if (validity === null) return ''
	const { fromMs, untilMs } = validity
	return wallMs < fromMs
		? `has a certificate that is valid from ${isoDate(fromMs)} on`
		: `has a certificate that has expired on ${isoDate(untilMs)}`
}

function withConsequence(message: string, { good }: SecretEntry): string {
	return good === null ? message : `${message}; the last good one stays`
}

function report(
	entry: SecretEntry,
	finding: Pick<Trouble, 'code' | 'message'> | null,
	{ log, wallMs }: Circumstances,
): void {
	entry.trouble = toldTrouble(entry.trouble, finding, { subject: entry.about.subject, log, wallMs })
}

function isoDate(wallMs: number): string {
	return new Date(wallMs).toISOString()
}
