import { expect, test } from 'vitest'
import { checkStats, readStats } from '../../../../src/mesh/kind/stats.ts'

test('written and empty is not the same as not written', () => {
	expect(readStats(undefined)).toBeNull()
	expect(readStats({})).toEqual({ statsd: null, prometheus: null })
})

test('what is not written has its default', () => {
	expect(readStats({ statsd: { address: '::1' }, prometheus: { port: 9090 } })).toEqual({
		statsd: { address: '::1', port: 8125, prefix: null, format: 'statsd' },
		prometheus: { address: '0.0.0.0', port: 9090 },
	})
	const statsd = { address: '10.0.0.1', port: 1, prefix: 'p', format: 'dogstatsd' } as const
	expect(readStats({ statsd, prometheus: { address: '::', port: 2 } })).toEqual({
		statsd,
		prometheus: { address: '::', port: 2 },
	})
})

test('addresses are IP addresses', () => {
	const findings = checkStats(['stats'], { statsd: { address: '1.2' }, prometheus: { address: ':::', port: 1 } })
	expect(findings.map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual([
		'SL0208 stats.statsd.address',
		'SL0208 stats.prometheus.address',
	])
	expect(checkStats([], undefined)).toEqual([])
})
