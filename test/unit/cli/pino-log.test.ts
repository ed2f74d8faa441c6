import { expect, test } from 'vitest'
import { createPinoLog, type LogFormat, type LogLevel } from '#cli/pino-log.ts'

function logTo(format: LogFormat, level: LogLevel = 'info') {
	const lines: string[] = []
	return { lines, log: createPinoLog({ format, level, write: (line) => void lines.push(line) }) }
}

test('JSON: one line with time, level, event and fields', () => {
	const { lines, log } = logTo('json')
	log.warn('git.poll.failed', { failures: 2, message: 'no\nroute', names: ['a', 'b'] })
	expect(lines).toHaveLength(1)
	expect(lines[0]?.match(/\n/g)).toHaveLength(1)
	expect(JSON.parse(lines[0] ?? '')).toEqual({
		level: 'warn',
		time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
		event: 'git.poll.failed',
		failures: 2,
		message: 'no\nroute',
		names: ['a', 'b'],
	})
})

test('text: the same for people, without what steers a terminal', () => {
	const { lines, log } = logTo('text')
	log.info('xds.stream.ended', { peer: '127.0.0.1:5', message: 'odd \u001b[2J\nwords', code: null })
	expect(lines[0]).toMatch(
		/^\d\d:\d\d:\d\d\.\d{3} info {2}xds\.stream\.ended peer=127\.0\.0\.1:5 message="odd \\u001b\[2J\\nwords" code=null\n$/,
	)
})

test.for(['json', 'text'] as const)('users and passwords of URLs are masked: %s', (format) => {
	const { lines, log } = logTo(format)
	log.error('x', { url: 'https://ada:s3cret@git.example/a', urls: ['ssh://token@host/a'] })
	expect(lines[0]).toContain('https://***@git.example/a')
	expect(lines[0]).not.toMatch(/s3cret|token/)
})

test('what is below the level is not written', () => {
	const { lines, log } = logTo('json', 'warn')
	log.debug('a')
	log.info('b')
	log.error('c')
	expect(lines.map((line) => JSON.parse(line).event)).toEqual(['c'])
})
