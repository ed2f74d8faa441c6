import { pino } from 'pino'
import type { Log, LogFields } from '#base/log.ts'
import { toPrintable } from './printable.ts'
import { maskUserInfo } from './settings.ts'

export type LogFormat = 'text' | 'json'
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type PinoLogOptions = {
	readonly format: LogFormat
	readonly level: LogLevel
	/** Takes whole lines, each with its newline. */
	readonly write: (line: string) => void
}

/** The log of the daemon, by pino: JSON lines for machines, or the same as text. Users and passwords in URLs are masked. */
export function createPinoLog({ format, level, write }: PinoLogOptions): Log {
	const logger = pino(
		{
			level,
			base: null,
			timestamp: () => `,"time":"${new Date().toISOString()}"`,
			formatters: { level: (label) => ({ level: label }) },
		},
		{ write: format === 'json' ? write : (line) => write(toTextLine(line)) },
	)
	return {
		debug: (event, fields) => logger.debug(lineOf(event, fields)),
		info: (event, fields) => logger.info(lineOf(event, fields)),
		warn: (event, fields) => logger.warn(lineOf(event, fields)),
		error: (event, fields) => logger.error(lineOf(event, fields)),
	}
}

function lineOf(event: string, fields: LogFields = {}): object {
	const masked = Object.entries(fields).map(([name, value]) => [name, maskValue(value)])
	return { event, ...Object.fromEntries(masked) }
}

function maskValue(value: LogFields[string]): LogFields[string] {
	if (typeof value === 'string') return maskUserInfo(value)
	return Array.isArray(value) ? value.map((text) => maskUserInfo(String(text))) : value
}

/** `12:03:04.250 warn  git.poll.failed failures=2 message="…"`. */
function toTextLine(line: string): string {
	const { time, level, event, ...fields } = JSON.parse(line) as { time: string; level: string; event: string }
	const shown = Object.entries(fields).map(([name, value]) => `${name}=${showValue(value)}`)
	return `${toPrintable([time.slice(11, 23), level.padEnd(5), event, ...shown].join(' '))}\n`
}

function showValue(value: unknown): string {
	return typeof value === 'string' && /^[\w./:@#+-]+$/.test(value) ? value : JSON.stringify(value)
}
