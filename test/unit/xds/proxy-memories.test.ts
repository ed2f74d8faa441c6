import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { createRefusals } from '#xds/acks.ts'
import { emptyHolding, type Holding, recognise } from '#xds/holding.ts'
import { perType } from '#xds/order.ts'
import { createProxyMemories, type RememberedProxy } from '#xds/proxy-memories.ts'

function memoryOf({ text = '', held = emptyHolding }: { text?: string; held?: Holding }): RememberedProxy {
	const refusals = createRefusals()
	refusals.add({ typeUrl: typeUrls.cluster, name: 'a', version: '1', text })
	return { groupKey: 'g', refusals, channels: perType(() => ({ held, version: '', offered: null })) }
}

test('gives each memory out once', () => {
	const memories = createProxyMemories()
	const memory = memoryOf({})
	memories.keep('a', memory)
	expect(memories.take('a')).toBe(memory)
	expect(memories.take('a')).toBeNull()
})

test('keeps the newest', () => {
	const memories = createProxyMemories()
	for (let index = 0; index <= limits.xdsProxiesRemembered; index += 1) memories.keep(`${index}`, memoryOf({}))
	expect(memories.take('0')).toBeNull()
	expect(memories.take('1')).not.toBeNull()
})

test.for<[string, RememberedProxy]>([
	['words of refusals', memoryOf({ text: 'x'.repeat(limits.xdsRememberedChars / 4) })],
	[
		'names that they said they have',
		memoryOf({ held: recognise(new Map([['x'.repeat(limits.xdsRememberedChars / 20), '1']]), new Map()) }),
	],
])('holds only so much of %s', ([, memory]) => {
	const memories = createProxyMemories()
	const keys = ['a', 'b', 'c', 'd', 'e']
	for (const key of keys) memories.keep(key, memory)
	memories.keep('e', memory)
	expect(keys.map((key) => memories.take(key) !== null)).toEqual([false, false, true, true, true])
	for (const key of keys) memories.keep(key, memoryOf({}))
	expect(keys.map((key) => memories.take(key) !== null)).toEqual([true, true, true, true, true])
})
