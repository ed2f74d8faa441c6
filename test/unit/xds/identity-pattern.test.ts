import { describe, expect, test } from 'vitest'
import type { ProxyIdentity } from '#compile/compiled.ts'
import { isCertified, parseIdentityPatterns } from '#xds/identity-pattern.ts'

const a: ProxyIdentity = { mesh: 'apps', kind: 'virtualNode', name: 'a' }
const usual = 'spiffe://*/mesh/{mesh}/{kind}/{name}'

function certified(pattern: string, ...uris: string[]): boolean {
	const patterns = parseIdentityPatterns(pattern)
	if (!patterns.ok) throw new Error(patterns.error)
	return isCertified(a, uris, patterns.value)
}

describe("a certificate is the proxy's", () => {
	test.for([
		[usual, 'spiffe://prod.example/mesh/apps/virtualNode/a'],
		['spiffe://prod.example/mesh/{mesh}/{kind}/{name}', 'spiffe://prod.example/mesh/apps/virtualNode/a'],
		['spiffe://cluster.local/ns/{mesh}/sa/{name}', 'spiffe://cluster.local/ns/apps/sa/a'],
		['spiffe://other/{name} , spiffe://*/{name}', 'spiffe://td/a'],
		['spiffe://{mesh}/{name}', 'spiffe://apps/a'],
	] as const)('%s: %s', ([pattern, uri]) => {
		expect(certified(pattern, uri)).toBe(true)
		expect(certified(pattern, 'spiffe://first/of/two', uri)).toBe(true)
	})
})

describe("a certificate is another's", () => {
	test.for([
		'spiffe://prod.example/mesh/apps/virtualNode/b',
		'spiffe://prod.example/mesh/apps/virtualGateway/a',
		'spiffe://prod.example/mesh/shop/virtualNode/a',
		'spiffe://prod.example/mesh/apps/virtualNode/a/b',
		'spiffe://prod.example/x/mesh/apps/virtualNode/a',
		'spiffe://prod.example/mesh/apps/virtualNode/A',
		'spiffe:///mesh/apps/virtualNode/a',
		'https://prod.example/mesh/apps/virtualNode/a',
		'spiffe://prod.example/mesh/apps/virtualNode/%61',
		'',
	])('%s', (uri) => {
		expect(certified(usual, uri)).toBe(false)
	})

	test('without any URI', () => {
		expect(certified(usual)).toBe(false)
	})
})

test.for([
	['', 'is no URI of whole parts'],
	['spiffe://*', 'lacks {name}'],
	['spiffe://*/mesh/{mesh}', 'lacks {name}'],
	['spiffe://*/{mesh}-{name}', 'is no URI of whole parts'],
	['spiffe://*/**/{name}', 'is no URI of whole parts'],
	['spiffe://*/{names}', 'is no URI of whole parts'],
	['/mesh/{name}', 'is no URI of whole parts'],
	['spiffe://*//{name}', 'is no URI of whole parts'],
	['spiffe://*/{name}, ', 'is no URI of whole parts'],
] as const)('refused: %s', ([text, words]) => {
	const parsed = parseIdentityPatterns(text)
	expect(parsed.ok ? 'taken' : parsed.error).toContain(words)
})
