import { expect, test } from 'vitest'
import { afterDoubt, emptyHolding } from '#xds/holding.ts'
import { staticCluster } from '../../fixtures/resources.ts'

const at = { host: '127.0.0.1', port: 8080 }

test('what is sent again and again without an answer is in doubt once', () => {
	const a = staticCluster('a', at)
	const sent = (times: number) =>
		Array.from({ length: times }).reduce<typeof emptyHolding>((held) => afterDoubt(held, [a], ['b']), emptyHolding)
	expect(sent(100)).toEqual(sent(1))
	expect(afterDoubt(sent(1), [staticCluster('a', at, 2000)], []).get('a')).toMatchObject({ tried: { length: 2 } })
})
