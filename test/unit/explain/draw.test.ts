import { describe, expect, test } from 'vitest'
import { renderExplained } from '#cli/explain-text.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { compiledConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import { readRequest } from '#explain/read-request.ts'
import { xxHash64 } from '#explain/xx-hash64.ts'
import { resourceId } from '#mesh/mesh.ts'
import type { Sticky } from '#mesh/route-spec.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { fixtureEffective, shopOfTwo } from '../../fixtures/mesh-fixture.ts'

const mesh = shopOfTwo({ v1: 3, v2: 1 })
const group = fixtureGroup('web', { mode: 'intercept' })

function ask(by: Sticky, headers: readonly (readonly [string, string])[]) {
	const sticky = { [resourceId.route('apps', 'shop', 'all')]: { by, order: ['v1', 'v2'] } }
	const compiled = compileGroup(fixtureEffective(mesh, { sticky }), group, nothingDiscovered)
	if (compiled === null) throw new Error('it is in the mesh')
	const lines = headers.map(([name, value]) => ({ name, value }))
	const asked = readRequest('GET', 'http://shop.apps.local/', lines)
	if (!asked.ok) throw new Error(asked.error)
	const explained = explainRequest(compiledConfiguration(compiled), group, asked.value)
	const { outcome } = explained
	return {
		shares: outcome.kind === 'forwarded' ? outcome.destinations.map(({ sharePpm }) => sharePpm) : [],
		text: renderExplained(explained, { asked: null, folder: '', color: false }),
	}
}

const byHeader: Sticky = { kind: 'header', name: 'x-user' }
const byCookie: Sticky = { kind: 'cookie', name: 'session' }
const users = Array.from({ length: 200 }, (_, index) => `user-${index}`)
const isNew = (user: string) => xxHash64(user) % 1_000_000n >= 750_000n
const sharesOf = (user: string) => (isNew(user) ? [0, 1_000_000] : [1_000_000, 0])

describe('where users are drawn', () => {
	test('a request goes where the hash of its user falls, by header as by cookie', () => {
		for (const user of users) {
			expect(ask(byHeader, [['x-user', user]]).shares).toEqual(sharesOf(user))
			expect(ask(byCookie, [['cookie', `a=b; session="${user}"; c=d`]]).shares).toEqual(sharesOf(user))
		}
		const share = users.filter(isNew).length / users.length
		expect(Math.abs(share - 0.25)).toBeLessThan(0.12)
	})

	test.for([
		['no header', byHeader, [], 'no header x-user'],
		['another cookie', byCookie, [['cookie', 'sessions=1; session2=2']], 'no cookie session'],
		['an empty cookie', byCookie, [['cookie', 'session=']], 'no cookie session'],
	] as const)('%s: by chance', ([, by, headers, said]) => {
		const { shares, text } = ask(by, headers)
		expect(shares).toEqual([750_000, 250_000])
		expect(text).toContain(`by chance, since there is ${said}`)
	})

	test('one user, several values: where to is not said', () => {
		const several = [
			['x-user', 'a'],
			['x-user', 'b'],
		] as const
		const { shares, text } = ask(byHeader, several)
		expect(shares).toEqual([750_000, 250_000])
		expect(text).toContain('header x-user is there more than once')
	})

	test('it is said why', () => {
		const [user = ''] = users.filter(isNew)
		expect(ask(byHeader, [['x-user', user]]).text).toMatch(
			/goes to v1 0 %, v2 100 %, by the route all\n.*\n {2}drawn by header x-user: whoever sends this value/,
		)
	})
})
