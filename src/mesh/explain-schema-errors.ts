// The validator's errors → findings in words for people: what is wrong, what was expected, what was probably meant.
import type { ErrorObject } from 'ajv/dist/2020.js'
import { limits } from '#base/limits.ts'
import { nearestName } from '#base/nearest-name.ts'
import type { DocumentKind } from './check-schema.ts'
import { errorAt, type Finding, type Path, pathToPointer, pathToText } from './finding.ts'
import { hintForMisplaced } from './misplaced-fields.ts'
import { showValue } from './show-value.ts'

type SchemaPart = {
	readonly description?: string
	readonly pattern?: string
	readonly properties?: Readonly<Record<string, unknown>>
	readonly minimum?: number
	readonly exclusiveMinimum?: number
	readonly maximum?: number
	readonly maxProperties?: number
	readonly oneOf?: readonly { readonly required?: readonly string[] }[]
}

/** Findings in the validator's order; errors that only follow from another one are left out. */
export function explainSchemaErrors(kind: DocumentKind, errors: readonly ErrorObject[]): readonly Finding[] {
	const extraFields = new Map<string, string[]>()
	for (const error of errors) {
		if (error.keyword !== 'additionalProperties') continue
		const fields = extraFields.get(error.instancePath) ?? []
		fields.push(String(error.params.additionalProperty))
		extraFields.set(error.instancePath, fields)
	}
	const wrongTypes = new Set(errors.filter((error) => error.keyword === 'type').map((error) => error.instancePath))
	const bounded = new Set<string>()
	return (
		errors
			.filter((error) => !followsFromAnother(error, extraFields.get(error.instancePath)))
			.filter((error) => error.keyword === 'type' || !wrongTypes.has(error.instancePath))
			.filter((error) => {
				const place = `${error.instancePath}/${error.propertyName ?? ''}`
				return !isBound(error) || (!bounded.has(place) && bounded.add(place))
			})
			// Far more than are ever shown need no words.
			.slice(0, limits.diagnostics + 1)
			.map((error) => explain(kind, error))
	)
}

/**
 * A branch of `oneOf` that failed, a form that none has (the field that tells forms apart lists them), and what is missing
 * or too much because a field has the wrong name.
 */
function followsFromAnother(error: ErrorObject, extraFields: readonly string[] | undefined): boolean {
	if (error.schemaPath.includes('/oneOf/') || ['propertyNames', 'discriminator'].includes(error.keyword)) return true
	if (extraFields === undefined) return false
	if (['oneOf', 'minProperties', 'maxProperties'].includes(error.keyword)) return true
	if (error.keyword !== 'required') return false
	const missing = String(error.params.missingProperty)
	const known = Object.keys((error.parentSchema as SchemaPart).properties ?? {})
	return extraFields.slice(0, known.length).some((field) => nearestName(field, known) === missing)
}

/** Of several bounds that one value breaks, such as its length and its pattern, one is enough to say what is expected. */
function isBound(error: ErrorObject): boolean {
	return ['minLength', 'maxLength', 'pattern', 'minimum', 'exclusiveMinimum', 'maximum'].includes(error.keyword)
}

function explain(kind: DocumentKind, error: ErrorObject): Finding {
	const path = pathOf(error)
	const where = pathToText(path)
	const part = error.parentSchema as SchemaPart
	switch (error.keyword) {
		case 'additionalProperties':
			return explainExtraField({ kind, path, field: String(error.params.additionalProperty), part })
		case 'required': {
			const field = String(error.params.missingProperty)
			const finding = errorAt(path, 'SL0205', `${where} has no field ${showValue(field)}, which it must have`)
			return { ...finding, at: 'key' }
		}
		case 'type':
			return explainType(path, error)
		case 'const':
			return errorAt(
				path,
				'SL0207',
				`${where} is ${showValue(error.data)}; expected ${showValue(error.params.allowedValue)}`,
			)
		case 'enum':
			return explainEnum(path, error.params.allowedValues, error.data)
		case 'oneOf':
		case 'minProperties':
		case 'maxProperties':
			return explainCount(path, error)
		default:
			return explainBound(path, error, part)
	}
}

type ExtraField = { kind: DocumentKind; path: Path; field: string; part: SchemaPart }

function explainExtraField({ kind, path, field, part }: ExtraField): Finding {
	const fieldPath = [...path, field]
	const known = Object.keys(part.properties ?? {})
	const message = `${pathToText(path)} has no field called ${showValue(field)}`
	const hint = () => {
		const misplaced = hintForMisplaced(kind, pathToPointer(fieldPath))
		if (misplaced !== null) return misplaced
		const nearest = nearestName(field, known)
		return nearest === null ? `the fields here are ${known.join(', ')}` : `did you mean ${showValue(nearest)}?`
	}
	return { ...errorAt(fieldPath, 'SL0204', message), at: 'key', hint }
}

const typeNames: Readonly<Record<string, string>> = {
	object: 'a mapping',
	array: 'a list',
	string: 'text',
	integer: 'a whole number',
	number: 'a number',
	boolean: 'true or false',
}

function explainType(path: Path, error: ErrorObject): Finding {
	const expected = String(error.params.type)
	const message = `${pathToText(path)} is ${showValue(error.data)}; expected ${typeNames[expected] ?? expected}`
	return errorAt(path, 'SL0206', message, typeHint(expected, error.data, error.parentSchema as SchemaPart))
}

function typeHint(expected: string, value: unknown, part: SchemaPart): string | null {
	const isScalar = typeof value === 'number' || typeof value === 'boolean'
	if (expected === 'string' && isScalar) {
		const fits = part.pattern === undefined || new RegExp(part.pattern).test(String(value))
		return fits ? `put it in quotes: "${value}"` : describe(part)
	}
	if (expected === 'object' && value === null) return 'write {} for a mapping without fields'
	if (expected === 'array' && value !== null) return 'a list is written with a dash before each entry, or in [ ]'
	const isNumber = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
	return (expected === 'integer' || expected === 'number') && isNumber
		? `write it without quotes: ${value.trim()}`
		: null
}

function explainEnum(path: Path, allowed: readonly unknown[], value: unknown): Finding {
	const where = pathToText(path)
	const names = allowed.map(String)
	const finding = errorAt(path, 'SL0207', `${where} is ${showValue(value)}; expected ${listOr(names)}`)
	const hint = () => {
		const nearest = typeof value === 'string' ? nearestName(value, names) : null
		return nearest === null ? null : `did you mean ${nearest}?`
	}
	return { ...finding, hint }
}

function explainCount(path: Path, error: ErrorObject): Finding {
	const part = error.parentSchema as SchemaPart
	const where = pathToText(path)
	const fields = part.oneOf?.flatMap((branch) => branch.required ?? []) ?? Object.keys(part.properties ?? {})
	if (fields.length === 0) return errorAt(path, 'SL0208', `${where} has more than ${error.params.limit} fields`)
	const isMore = error.keyword === 'minProperties' && part.maxProperties === undefined
	const count = isMore ? 'at least one' : 'exactly one'
	const wanted = fields.length === 1 ? `the field ${fields[0]}` : `${count} of the fields ${listOr(fields)}`
	return errorAt(path, 'SL0209', `${where} must have ${wanted}`)
}

/** Length, size, pattern: the schema's own description says what is accepted. */
function explainBound(path: Path, error: ErrorObject, part: SchemaPart): Finding {
	const value: unknown = error.data
	const shown = Array.isArray(value) ? `a list of ${value.length}` : showValue(value)
	const expected = typeof value === 'number' ? describeRange(part) : (describe(part) ?? error.message ?? error.keyword)
	const subject =
		error.propertyName === undefined ? `${pathToText(path)} is ${shown}` : `the key ${shown} is not accepted`
	return errorAt(path, 'SL0208', `${subject}; expected: ${expected}`, arnHint(value, part))
}

/** For who writes an ARN where only a name is taken. */
function arnHint(value: unknown, { pattern }: SchemaPart): string | null {
	const isArn = typeof value === 'string' && value.startsWith('arn:')
	return isArn && !pattern?.includes('arn:') ? 'write the name alone, without the rest of the ARN' : null
}

function describeRange({ minimum, exclusiveMinimum, maximum }: SchemaPart): string {
	if (exclusiveMinimum !== undefined) return `a number above ${exclusiveMinimum}, at most ${maximum}`
	return `a number from ${minimum} to ${maximum}`
}

/** The schema's own words, to stand in the middle of a sentence. */
function describe({ description }: SchemaPart): string | null {
	if (description === undefined) return null
	const text = /^[A-Z][a-z ]/.test(description)
		? description.charAt(0).toLowerCase() + description.slice(1)
		: description
	return text.replace(/\.$/, '')
}

function listOr(names: readonly string[]): string {
	return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function pathOf(error: ErrorObject): Path {
	const tokens = error.instancePath.split('/').slice(1)
	const path = tokens.map((token) =>
		/^[0-9]+$/.test(token) ? Number(token) : token.replaceAll('~1', '/').replaceAll('~0', '~'),
	)
	return error.propertyName === undefined ? path : [...path, error.propertyName]
}
