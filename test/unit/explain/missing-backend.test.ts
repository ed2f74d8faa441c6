import { expect, test } from 'vitest'
import type { Explained, Outcome } from '#explain/explained.ts'
import { missingBackend } from '#explain/missing-backend.ts'
import { readRequest } from '#explain/read-request.ts'
import { fixtureEffective } from '../../fixtures/mesh-fixture.ts'

const { resources } = fixtureEffective([
	{ kind: 'VirtualNode', name: 'web', backends: ['known.local', 'empty.local'] },
	{ kind: 'VirtualNode', name: 'shop' },
	{ kind: 'VirtualService', name: 'known.local', node: 'shop' },
	{ kind: 'VirtualService', name: 'empty.local' },
	{ kind: 'VirtualService', name: 'Other.local', node: 'shop' },
])
const unknownHost: Outcome = { kind: 'unknownHost', status: 404, known: [], nearest: null }
const missing = (url: string, outcome: Outcome = unknownHost) => {
	const request = readRequest('GET', url, [])
	if (!request.ok) throw new Error(request.error)
	const proxy = 'mesh/apps/virtualNode/web'
	const explained: Explained = { proxy, request: request.value, hops: [], outcome, advice: null, notes: [] }
	return missingBackend(explained, resources)
}

test.for([
	['http://other.local/', 'web has no backend Other.local: add it to its spec.backends'],
	['http://other.local:8080/', 'web has no backend Other.local: add it to its spec.backends'],
	['http://empty.local/', 'empty.local has no provider: nothing answers for it'],
	['http://known.local:81/', null],
	['http://elsewhere.example/', null],
] as const)('%s: %s', ([url, text]) => {
	expect(missing(url)).toBe(text)
})

test('of a request that is taken nothing is missing', () => {
	expect(missing('http://other.local/', { kind: 'passedThrough', cluster: 'c' })).toBe(null)
})
