import { checkAccessLogFormat } from '../check-access-log-format.ts'
import { type Finding, type Path, warningAt } from '../finding.ts'
import type { VirtualNodeAccessLogFormat, VirtualNodeLogging } from '../manifest.generated.ts'
import type { AccessLog } from '../proxy-spec.ts'
import { showValue } from '../show-value.ts'

export function readAccessLog(logging: VirtualNodeLogging | undefined): AccessLog | null {
	const file = logging?.accessLog?.file
	return file === undefined ? null : { path: file.path, format: readFormat(file.format) }
}

/** A text comes out with a line break at its end, and a key of JSON once, with the value that was written last. */
function readFormat(format: VirtualNodeAccessLogFormat | undefined): AccessLog['format'] {
	if (format?.text !== undefined) {
		return { kind: 'text', text: format.text.endsWith('\n') ? format.text : `${format.text}\n` }
	}
	if (format?.json === undefined) return null
	const members = new Map(format.json.map(({ key, value }) => [key, value]))
	return { kind: 'json', members: [...members].map(([key, value]) => ({ key, value })) }
}

/** `path`: of the logging. */
export function checkLogging(path: Path, logging: VirtualNodeLogging | undefined): readonly Finding[] {
	const { text, json = [] } = logging?.accessLog?.file?.format ?? {}
	const at = [...path, 'accessLog', 'file', 'format']
	const keys = new Set<string>()
	return [
		...(text === undefined ? [] : checkText([...at, 'text'], text)),
		...json.flatMap(({ key, value }, index) => {
			const repeated = keys.has(key)
			keys.add(key)
			const message = `the key ${showValue(key)} is written already: the last one holds`
			return [
				...(repeated ? [warningAt([...at, 'json', index, 'key'], 'SL0233', message)] : []),
				...checkAccessLogFormat([...at, 'json', index, 'value'], value),
			]
		}),
	]
}

function checkText(path: Path, text: string): readonly Finding[] {
	const findings = checkAccessLogFormat(path, text)
	if (text.endsWith('\n')) return findings
	const message = 'the format has no line break at its end, and all requests would be one line: Sluice adds one'
	return [
		...findings,
		warningAt(path, 'SL0232', message, 'end it with \\n in double quotes, or write it as a block (|)'),
	]
}
