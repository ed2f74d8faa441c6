import { expect, test } from 'vitest'
import type { TriedRoute } from '#explain/explained.ts'
import { nearestMiss } from '#explain/nearest-miss.ts'

const tried = (name: string, pathPattern: string, ...lacking: string[]): TriedRoute => ({
	name,
	pathPattern,
	virtualService: null,
	frontOf: null,
	resource: null,
	place: null,
	failed: lacking.map((condition) => ({ name: condition, wanted: 'x', found: null })),
})
const nearest = (...routes: TriedRoute[]) => nearestMiss(routes, '/cart/12')?.name ?? null

test('a path that matches is nearer than one that does not', () => {
	expect(nearest(tried('other', '/cart/13', 'path'), tried('catch-all', '/', 'header x', 'method'))).toBe('catch-all')
})

test('of paths that match the longest', () => {
	expect(nearest(tried('all', '/', 'method'), tried('cart', '/cart', 'method', 'header x'))).toBe('cart')
})

test('of paths that do not match the one with the longest common beginning', () => {
	expect(nearest(tried('a', '/b', 'path'), tried('b', '/cart/1/x', 'path', 'method'))).toBe('b')
})

test('of the same path the one that lacks the least, the earliest of equals', () => {
	const [two, one] = [tried('two', '/cart', 'method', 'header x'), tried('one', '/cart', 'method')]
	expect(nearest(two, one, { ...one, name: 'late' })).toBe('one')
})

test('of nothing nothing', () => {
	expect(nearest()).toBe(null)
})
