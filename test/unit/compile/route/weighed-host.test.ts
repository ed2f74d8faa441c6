import { expect, test } from 'vitest'
import { typeUrls } from '#compile/compiled.ts'
import { resourceId } from '#mesh/mesh.ts'
import type { Sticky } from '#mesh/route-spec.ts'
import { compileInput } from '../../../fixtures/compile-fixture.ts'
import { shopOfTwo } from '../../../fixtures/mesh-fixture.ts'

test('routes are others when their users are drawn, by something else, or in another order', () => {
	const keyOf = (by: Sticky | null, order = ['v1', 'v2']) => {
		const sticky = by === null ? {} : { [resourceId.route('apps', 'shop', 'all')]: { by, order } }
		const compiled = compileInput({
			proxy: 'web',
			resources: shopOfTwo({ v1: 1, v2: 1 }),
			sticky,
		})
		return compiled.filter(({ typeUrl }) => typeUrl === typeUrls.route).map(({ key }) => key)
	}
	const keys = [
		keyOf(null),
		keyOf({ kind: 'header', name: 'session' }),
		keyOf({ kind: 'header', name: 'user' }),
		keyOf({ kind: 'cookie', name: 'session' }),
		keyOf({ kind: 'cookie', name: 'session' }, ['v2', 'v1']),
	]
	expect(new Set(keys.map(String)).size).toBe(keys.length)
	expect(keyOf({ kind: 'cookie', name: 'session' })).toEqual(keys[3])
})
