import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { createRefusals, namesInRefusal } from '#xds/acks.ts'
import { leastCpuMs } from '../../fixtures/cost.ts'

describe('namesInRefusal', () => {
	test.for<[string, readonly string[], readonly string[]]>([
		['Error adding/updating cluster(s) b: bad timeout', ['a', 'b'], ['b']],
		['Error adding/updating cluster(s) a: x, c: y', ['a', 'b', 'c'], ['a', 'c']],
		['Error adding/updating listener(s) l: cannot bind 127.0.0.1:1: in use\nm: no', ['l', 'm'], ['l', 'm']],
		['Error adding/updating cluster(s) serviceBv2: no', ['serviceB', 'serviceBv2'], ['serviceBv2']],
		['Error adding/updating cluster(s) my-serviceB: no', ['serviceB', 'my-serviceB'], ['my-serviceB']],
		['Sum of weights in the weighted_cluster must be greater than 0.', ['r', 's'], []],
		['', ['a', ''], []],
		['a:80: no', ['a', 'a:80', '80'], ['a', 'a:80']],
	])('%j of %j: %j', ([text, candidates, named]) => {
		expect(namesInRefusal(text, candidates)).toEqual(named)
	})
})

test('what a proxy chose to refuse, in words of its own choice, costs little to find', () => {
	const names = Array.from({ length: limits.xdsNames }, (_, index) => 'a'.repeat(index))
	const colons = Array.from({ length: limits.xdsNames }, (_, index) => ':'.repeat(index))
	for (const text of ['a', ':', ' :', 'a:', ',:'].map((part) => part.repeat(limits.xdsRefusalChars / part.length))) {
		expect(leastCpuMs(() => namesInRefusal(text, [...names, ...colons]))).toBeLessThan(500)
	}
})

describe('createRefusals', () => {
	const refusal = (name: string, version: string) => ({ typeUrl: typeUrls.cluster, name, version, text: 'no' })

	test('knows type, name and version apart', () => {
		const refusals = createRefusals()
		refusals.add(refusal('a', '1'))
		expect(refusals.has(typeUrls.cluster, 'a', '1')).toBe(true)
		expect(refusals.has(typeUrls.listener, 'a', '1')).toBe(false)
		expect(refusals.has(typeUrls.cluster, 'a', '2')).toBe(false)
		refusals.forget(typeUrls.cluster, 'a', '1')
		expect(refusals.size).toBe(0)
	})

	test('keeps the newest', () => {
		const refusals = createRefusals()
		for (let index = 0; index <= limits.xdsRefusals; index += 1) refusals.add(refusal('a', String(index)))
		expect(refusals.size).toBe(limits.xdsRefusals)
		expect(refusals.has(typeUrls.cluster, 'a', '0')).toBe(false)
		expect(refusals.has(typeUrls.cluster, 'a', '1')).toBe(true)
	})
})
