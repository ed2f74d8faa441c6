// Envoy's format of access logs: text with command operators, `%NAME%`, `%NAME(ARGUMENT)%` or `%NAME(ARGUMENT):LENGTH%`,
// and `%%` for a percent sign. A format that Envoy does not take makes it refuse the listener with it.

import { nearestName } from '#base/nearest-name.ts'
import { type AccessLogOperator, accessLogOperators, newerAccessLogOperators } from './access-log-operators.ts'
import { errorAt, type Finding, type Path } from './finding.ts'
import { showValue } from './show-value.ts'

type Written = {
	readonly name: string
	/** Empty: none. */
	readonly argument: string
	readonly hasLength: boolean
	/** Index behind its last `%`. */
	readonly end: number
}

/** What Envoy would refuse in a text, or in one value of a JSON format. */
export function checkAccessLogFormat(path: Path, format: string): readonly Finding[] {
	const findings: Finding[] = []
	let index = format.indexOf('%')
	while (index >= 0) {
		const operator = operatorAt(format, index)
		if (operator !== null) findings.push(...checkOperator(path, operator))
		else if (format[index + 1] !== '%') return [...findings, refuseUnclosed(path, format.slice(index))]
		index = format.indexOf('%', operator?.end ?? index + 2)
	}
	return findings
}

/** The operator that begins at the `%` of this index; null when what follows is none. An argument ends with the first `)` that can end it. */
function operatorAt(format: string, index: number): Written | null {
	const name = /^[A-Z0-9_]+/.exec(format.slice(index + 1))?.[0]
	if (name === undefined) return null
	const afterName = index + 1 + name.length
	const [line = ''] = format.slice(afterName).split('\n', 1)
	if (!line.startsWith('(')) return closedBy({ name, argument: '', rest: line, at: afterName })
	for (let close = line.indexOf(')'); close >= 0; close = line.indexOf(')', close + 1)) {
		const rest = line.slice(close + 1)
		const written = closedBy({ name, argument: line.slice(1, close), rest, at: afterName + close + 1 })
		if (written !== null) return written
	}
	return null
}

function closedBy(parts: { name: string; argument: string; rest: string; at: number }): Written | null {
	const { name, argument, rest, at } = parts
	const closing = /^(:[0-9]{1,9})?%/.exec(rest)
	return closing === null ? null : { name, argument, hasLength: closing[1] !== undefined, end: at + closing[0].length }
}

function refuseUnclosed(path: Path, rest: string): Finding {
	const name = /^%[A-Z0-9_]+/.exec(rest)?.[0]
	const message =
		name === undefined
			? `${showValue(rest)}: this % begins no operator of Envoy's access logs`
			: `the operator that begins with ${name} is not closed by a %`
	const hint = 'an operator is %NAME%, %NAME(ARGUMENT)% or %NAME(ARGUMENT):LENGTH%; a percent sign is %%'
	return errorAt(path, 'SL0222', message, hint)
}

function checkOperator(path: Path, written: Written): readonly Finding[] {
	const operator = accessLogOperators.get(written.name)
	return operator === undefined ? [refuseName(path, written.name)] : checkParts(path, written, operator)
}

function refuseName(path: Path, name: string): Finding {
	if (newerAccessLogOperators.has(name)) {
		const message = `the operator %${name}% is not known to Envoy 1.36, the oldest one that Sluice serves`
		return errorAt(path, 'SL0222', message)
	}
	const message = `Envoy's access logs have no operator %${name}%, or none that can be checked`
	const hint = () => {
		const nearest = nearestName(name, accessLogOperators.keys())
		return nearest === null ? null : `did you mean %${nearest}%?`
	}
	return { ...errorAt(path, 'SL0222', message), hint }
}

function checkParts(
	path: Path,
	{ name, argument: text, hasLength }: Written,
	{ argument, length }: AccessLogOperator,
): readonly Finding[] {
	const findings: Finding[] = []
	const refuse = (message: string) => findings.push(errorAt(path, 'SL0222', message))
	if (argument.kind === 'none' && text !== '') refuse(`the operator %${name}% takes no argument`)
	if (argument.kind === 'required' && text === '') {
		refuse(`the operator %${name}% takes an argument: %${name}(…)% with ${argument.form}`)
	} else if (argument.kind !== 'none' && text !== '' && !argument.pattern.test(text)) {
		refuse(`the operator %${name}% does not take the argument ${showValue(text)}; expected ${argument.form}`)
	}
	if (length === 'none' && hasLength) refuse(`the operator %${name}% takes no length`)
	return findings
}
