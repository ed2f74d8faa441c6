import { expect, test } from 'vitest'
import { checkProxySettings, readProxySettings } from '../../../../src/mesh/kind/proxy-settings.ts'

test('what is not written is null', () => {
	expect(readProxySettings({})).toEqual({ accessLog: null, tracing: null, stats: null })
	expect(checkProxySettings({})).toEqual([])
})

test('each of the three is checked, and said where it stands', () => {
	const findings = checkProxySettings({
		logging: { accessLog: { file: { path: '/log', format: { text: 'a' } } } },
		tracing: { datadog: { address: '1.2' } },
		stats: { statsd: { address: '1.2' } },
	})
	expect(findings.map(({ path }) => path.slice(0, 2).join('.'))).toEqual(['spec.logging', 'spec.tracing', 'spec.stats'])
})
