import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createDispersions } from '#controller/dispersions.ts'
import type { ClusterFlush } from '#telemetry/flush.ts'
import { answeredCluster } from '../../fixtures/cluster-flush.ts'

const flush = (proxy: string, clusters: Readonly<Record<string, ClusterFlush>>) =>
	({ proxy, arrivedMs: 0, counted: true, clusters: new Map(Object.entries(clusters)), unrouted: 0 }) as const

/** So many looks of two proxies, one of which fails in bursts at `noisy`. */
function watch(looks: number) {
	const dispersions = createDispersions()
	for (let look = 0; look < looks; look += 1) {
		for (const proxy of ['a', 'b', 'c', 'd']) {
			const errors = proxy === 'a' && look % 10 === 0 ? 60 : 3
			dispersions.takeFlush(
				flush(proxy, {
					noisy: answeredCluster(300, errors),
					calm: answeredCluster(300, 3),
					idle: answeredCluster(0, 0),
				}),
			)
		}
		dispersions.closeLook()
	}
	return dispersions
}

test('is known of clusters that were watched for 30 minutes; of several the largest counts', () => {
	const dispersions = watch(400)
	const calm = dispersions.phiOf(['calm'])
	const noisy = dispersions.phiOf(['noisy'])
	expect(calm).toMatchObject({ value: 1 })
	expect(noisy.value).toBeGreaterThan(3)
	expect(dispersions.phiOf(['calm', 'noisy'])).toEqual(noisy)
})

test.for([[['idle']], [['calm', 'unheard']], [[]]])('is the default of %j', ([clusters]) => {
	expect(watch(400).phiOf(clusters ?? [])).toEqual({ value: 3, source: 'default' })
	expect(watch(100).phiOf(['calm'])).toEqual({ value: 3, source: 'default' })
})

test('of more clusters than may be remembered the later ones take the default', () => {
	const dispersions = createDispersions()
	const many = Object.fromEntries(
		Array.from({ length: limits.dispersionClusters + 1 }, (_, index) => [`c${index}`, answeredCluster(100, 1)]),
	)
	for (let look = 0; look < 400; look += 1) {
		if (look % 100 === 0) dispersions.takeFlush(flush('a', many))
		dispersions.takeFlush(
			flush('a', { c0: answeredCluster(100, 1), [`c${limits.dispersionClusters}`]: answeredCluster(100, 1) }),
		)
		dispersions.closeLook()
	}
	expect(dispersions.phiOf(['c0']).source).not.toBe('default')
	expect(dispersions.phiOf([`c${limits.dispersionClusters}`]).source).toBe('default')
})
