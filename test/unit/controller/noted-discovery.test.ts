import { expect, test } from 'vitest'
import { isAnsweredAlike, noteDiscovery } from '#controller/noted-discovery.ts'
import type { Discovered, Endpoint } from '#discovery/discovered.ts'

const one: readonly Endpoint[] = [{ ipv4: '10.0.0.1', ipv6: null, zone: '' }]
const two: readonly Endpoint[] = [{ ipv4: '10.0.0.2', ipv6: null, zone: '' }]
const found = (endpoints: Readonly<Record<string, readonly Endpoint[]>>): Discovered => ({
	endpoints: new Map(Object.entries(endpoints)),
	secrets: new Map(),
})

test('only what was asked for counts, what was not there among it', () => {
	const { discovered, asked } = noteDiscovery(found({ a: one, b: one }))
	expect([discovered.endpoints.get('a'), discovered.endpoints.has('c')]).toEqual([one, false])
	expect(isAnsweredAlike(asked, found({ a: one, b: two }))).toBe(true)
	expect(isAnsweredAlike(asked, found({ a: two }))).toBe(false)
	expect(isAnsweredAlike(asked, found({ a: one, c: one }))).toBe(false)
})

test('who goes through all of it depends on all of it', () => {
	const { discovered, asked } = noteDiscovery(found({ a: one }))
	expect([...discovered.endpoints.keys()]).toEqual(['a'])
	expect(isAnsweredAlike(asked, found({ a: one }))).toBe(false)
})
