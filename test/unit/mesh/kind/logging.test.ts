import { expect, test } from 'vitest'
import { checkLogging, readAccessLog } from '../../../../src/mesh/kind/logging.ts'
import type { VirtualNodeAccessLogFormat, VirtualNodeLogging } from '../../../../src/mesh/manifest.generated.ts'

const to = (format?: VirtualNodeAccessLogFormat): VirtualNodeLogging => ({
	accessLog: { file: { path: '/log', ...(format === undefined ? {} : { format }) } },
})

test.for<[VirtualNodeLogging | undefined]>([[undefined], [{}]])('%j is no access log', ([logging]) => {
	expect(readAccessLog(logging)).toBeNull()
	expect(checkLogging([], logging)).toEqual([])
})

test('without a format the line is that of Envoy', () => {
	expect(readAccessLog(to())).toEqual({ path: '/log', format: null })
})

test('a text ends with one line break', () => {
	expect(readAccessLog(to({ text: 'a' }))?.format).toEqual({ kind: 'text', text: 'a\n' })
	expect(readAccessLog(to({ text: 'a\n' }))?.format).toEqual({ kind: 'text', text: 'a\n' })
	expect(checkLogging([], to({ text: 'a' })).map(({ code }) => code)).toEqual(['SL0232'])
	expect(checkLogging([], to({ text: 'a\n' }))).toEqual([])
})

test('members of JSON keep their order, and of two with one key the last one holds', () => {
	const json = [
		{ key: 'b', value: '1' },
		{ key: '1', value: '2' },
		{ key: 'b', value: '3' },
	]
	expect(readAccessLog(to({ json }))?.format).toEqual({
		kind: 'json',
		members: [
			{ key: 'b', value: '3' },
			{ key: '1', value: '2' },
		],
	})
	expect(checkLogging([], to({ json })).map(({ code, path }) => [code, path[4]])).toEqual([['SL0233', 2]])
})

test('each value is checked where it stands', () => {
	const json = [
		{ key: 'a', value: '%PROTOCOL%' },
		{ key: 'b', value: '%NOPE%' },
	]
	expect(checkLogging(['logging'], to({ json })).map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual([
		'SL0222 logging.accessLog.file.format.json.1.value',
	])
	expect(checkLogging([], to({ text: '%NOPE%\n' })).map(({ code }) => code)).toEqual(['SL0222'])
})
