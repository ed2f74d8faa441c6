// The table of access log operators, held against the real Envoy: what is accepted here is accepted there, by the oldest
// and the newest one, and what is refused here for its form is refused there.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findEnvoy } from '#lab/find-envoy.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { runCommand } from '#lab/run-command.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { accessLogOperators, newerAccessLogOperators } from '../../src/mesh/access-log-operators.ts'
import { checkAccessLogFormat } from '../../src/mesh/check-access-log-format.ts'

const versions: readonly EnvoyVersion[] = ['1.40.0', '1.36.2']
const envoys = new Map<EnvoyVersion, string>()
const folder = makeTempDirectory('formats')

beforeAll(async () => {
	for (const version of versions) {
		const found = await findEnvoy({ version, onProgress: console.log })
		if (!found.ok) throw new Error(found.error.message)
		envoys.set(version, found.value.path)
	}
}, 300_000)
afterAll(() => folder.remove())

const filters = 'type.googleapis.com/envoy.extensions.filters'

/** Whether Envoy takes listeners with these formats: an HTTP one and a TCP one that write all of them. */
async function takes(version: EnvoyVersion, formats: readonly string[]): Promise<string> {
	const logs = formats.map((text) => ({
		name: 'envoy.access_loggers.file',
		typed_config: {
			'@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
			path: '/dev/null',
			log_format: { text_format_source: { inline_string: text } },
		},
	}))
	const http = {
		'@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
		stat_prefix: 'http',
		route_config: { name: 'routes' },
		http_filters: [
			{ name: 'envoy.filters.http.router', typed_config: { '@type': `${filters}.http.router.v3.Router` } },
		],
		access_log: logs,
	}
	const tcp = {
		'@type': `${filters}.network.tcp_proxy.v3.TcpProxy`,
		stat_prefix: 'tcp',
		cluster: 'c',
		access_log: logs,
	}
	const listeners = Object.entries({ http, tcp }).map(([name, typedConfig]) => ({
		name,
		address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
		filter_chains: [{ filters: [{ name, typed_config: typedConfig }] }],
	}))
	const file = join(folder.path, `${version}.json`)
	writeFileSync(file, JSON.stringify({ static_resources: { listeners, clusters: [{ name: 'c' }] } }))
	const outcome = await runCommand(envoys.get(version) ?? '', ['--mode', 'validate', '-l', 'critical', '-c', file])
	if (outcome.kind !== 'exited') throw new Error(`Envoy ${outcome.kind}`)
	return outcome.code === 0 ? 'OK' : outcome.stderr
}

/** Arguments of every operator that takes some; the table's own patterns decide which of them it takes. */
const samples = [
	'',
	'X-A',
	':PATH?X-A',
	'a:b:c',
	'%Y-%m-%d %H:%M:%S.%3f',
	'key:PLAIN',
	'key:FIELD:name',
	...['ROUTE', 'CLUSTER', 'DYNAMIC', 'LISTENER', 'UPSTREAM_HOST', 'VIRTUAL_HOST'].map((type) => `${type}:a:b`),
	...['DS_RX_BEG:DS_TX_END', 'DS_RX_BEG:DS_TX_END:ns'],
	...['WQ', 'NQ:ORIG', ':PATH', 'NQ:ORIG_OR_PATH'],
	...['CAMEL_STRING', 'SNAKE_STRING', 'NUMBER'],
	'ALLOW_WHITESPACES',
]
const accepted = [...accessLogOperators.keys()]
	.flatMap((name) => samples.flatMap((sample) => [`%${name}(${sample})%`, `%${name}(${sample}):20%`]))
	.concat(
		[...accessLogOperators.keys()].map((name) => `%${name}%`),
		'text',
		'100%% of (it)',
	)
	.filter((format) => checkAccessLogFormat([], format).length === 0)

describe.for(versions)('Envoy %s', (version) => {
	test('takes every operator that is accepted, in every form', async () => {
		for (const name of accessLogOperators.keys()) {
			expect(
				accepted.some((format) => format.startsWith(`%${name}`)),
				`${name} is tried`,
			).toBe(true)
		}
		expect(await takes(version, accepted)).toBe('OK')
	})

	test.for(['%', '%nope%', '%NOPE%', '%PROTOCOL', '%REQ%', '%REQ(a b)%', '%REQ(a?b?c)%', '%PROTOCOL:5%', '%PATH(x)%'])(
		'refuses %s, as is done here',
		async (format) => {
			expect(checkAccessLogFormat([], format)).toHaveLength(1)
			expect(await takes(version, [format])).not.toBe('OK')
		},
	)
})

test('what is refused here as too new is known to the newest Envoy only', async () => {
	const withArgument = /^(?:REQUEST_HEADER|RESPONSE_HEADER|RESPONSE_TRAILER)$/
	const formats = [...newerAccessLogOperators].map((name) => {
		if (name === 'COALESCE') return '%COALESCE({"operators": [{"command": "REQ", "param": "a"}]})%'
		return withArgument.test(name) ? `%${name}(a)%` : `%${name}%`
	})
	expect(await takes('1.40.0', formats)).toBe('OK')
	const [first = ''] = formats
	expect(await takes('1.36.2', [first])).toMatch('Not supported field in StreamInfo')
})
