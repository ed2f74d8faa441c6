import { expect, test } from 'vitest'
import { parseAllowedOrigins } from '#base/allowed-origins.ts'

const setting = 'http://prometheus:9090, https://shop.example=shop, http://127.0.0.1:8080/'

test.for<[string, string | null, string | null]>([
	['http://prometheus:9090/api', null, null],
	['http://127.0.0.1:8080', null, null],
	['https://shop.example:443/x', 'shop', null],
	['https://shop.example/x', null, null],
	['http://prometheus/', null, 'http://prometheus may not be asked: metric-sources lacks it'],
	['https://prometheus:9090/', null, 'https://prometheus:9090 may not be asked'],
	['http://169.254.169.254/latest/meta-data', null, 'http://169.254.169.254 may not be asked'],
	['http://prometheus:9090@169.254.169.254/', null, 'http://169.254.169.254 may not be asked'],
	['http://shop.example/', 'shop', 'http://shop.example may not be asked'],
	[
		'http://prometheus:9090/',
		'shop',
		'the credentials may not be sent there: metric-sources lacks http://prometheus:9090=shop',
	],
	['https://shop.example/', 'other', 'metric-sources lacks https://shop.example=other'],
])('%s with %s', ([url, credentials, refusal]) => {
	const allowed = parseAllowedOrigins('metric-sources', setting)
	const said = allowed.ok ? allowed.value.refusal(new URL(url), credentials) : 'the setting is wrong'
	if (refusal === null) expect(said).toBeNull()
	else expect(said).toContain(refusal)
})

test('nobody is asked where nothing is set', () => {
	const allowed = parseAllowedOrigins('metric-sources', '')
	expect(allowed.ok && allowed.value.refusal(new URL('http://127.0.0.1:9090'), null)).toContain('may not be asked')
})

test.for(['prometheus:9090', 'http://', 'ftp://x', 'http://x/path', 'http://x:99999', 'https://x=a b', 'http://x?a'])(
	'%s is no origin',
	(text) => {
		expect(parseAllowedOrigins('metric-sources', `http://ok, ${text}`)).toEqual({
			ok: false,
			error: `${JSON.stringify(text)} is no http(s)://HOST[:PORT] or http(s)://HOST[:PORT]=CREDENTIALS`,
		})
	},
)

test('a password in the setting is not shown', () => {
	expect(parseAllowedOrigins('metric-sources', 'http://me:secret@x')).toMatchObject({
		error: expect.not.stringContaining('secret'),
	})
})
