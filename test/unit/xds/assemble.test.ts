import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { assembleResponse } from '#xds/assemble.ts'
import { differenceOf, emptyHolding } from '#xds/holding.ts'
import { encodeDelta } from '#xds/response.ts'
import { snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { decodeTold } from '../../fixtures/xds-dialogue.ts'

const clusters = Array.from({ length: limits.xdsResponsesShared + 1 }, (_, index) =>
	staticCluster(`c${index}`, { host: '127.0.0.1', port: 8080 }),
)

test('a response is made once for all who go the same way, and of the ways no more are kept than may be', () => {
	const { version, resources } = snapshotOf(...clusters).types[typeUrls.cluster]
	const difference = differenceOf(emptyHolding, resources)
	const upTo = (count: number) =>
		assembleResponse({
			variant: 'delta',
			typeUrl: typeUrls.cluster,
			typeVersion: version,
			held: emptyHolding,
			difference,
			upserts: difference.upserts.slice(0, count),
			removals: [],
			lastNonce: '',
		})
	const first = upTo(1)
	expect(upTo(1)).toBe(first)
	for (let count = 2; count <= limits.xdsResponsesShared + 1; count += 1) upTo(count)
	expect(upTo(1)).not.toBe(first)
})

test('the same bytes under another version, as a caller may give them, are sent with that version', () => {
	const first = staticCluster('a', { host: '127.0.0.1', port: 8080 })
	const told = [first, { ...first, version: 'other' }].map((resource) => {
		const content = { typeUrl: typeUrls.cluster, version: 'v', nonce: 'n', resources: [resource], removed: [] }
		return Object.values(decodeTold('delta', encodeDelta(content)).resources)
	})
	expect(told).toEqual([[first.version], ['other']])
})
