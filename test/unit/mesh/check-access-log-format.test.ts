import { expect, test } from 'vitest'
import { accessLogOperators, newerAccessLogOperators } from '../../../src/mesh/access-log-operators.ts'
import { checkAccessLogFormat } from '../../../src/mesh/check-access-log-format.ts'

const messagesOf = (format: string) => checkAccessLogFormat(['format'], format).map(({ message }) => message)

test.for([
	'',
	'plain text',
	'%%',
	'100%% of %DURATION%',
	'%PROTOCOL%%RESPONSE_CODE%',
	'%PROTOCOL()%',
	'%REQ(:AUTHORITY)%',
	'%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):80%',
	'%START_TIME%',
	'%START_TIME(%Y/%m/%d %H:%M:%S)%',
	'%START_TIME(a)b)%',
	'%PATH%',
	'%PATH(NQ:ORIG_OR_PATH):5%',
	'%GRPC_STATUS(NUMBER)%',
	'%FILTER_STATE(key:FIELD:name):3%',
	'%METADATA(ROUTE:a:b)%',
	'%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%',
	'%DYNAMIC_METADATA(a)%',
	'%ENVIRONMENT(POD):10%',
])('%j is taken', (format) => {
	expect(messagesOf(format)).toEqual([])
})

test.for<[string, RegExp]>([
	['%', /"%": this % begins no operator/],
	['50% of %PROTOCOL%', /begins no operator/],
	['%protocol%', /begins no operator/],
	['%PROTOCOL', /begins with %PROTOCOL is not closed/],
	['%PROTOCOL%%', /begins no operator/],
	['%REQ(a', /begins with %REQ is not closed/],
	['%REQ(a)b%', /begins with %REQ is not closed/],
	['%REQ(a\n)%', /begins with %REQ is not closed/],
	['%REQ(a):x%', /begins with %REQ is not closed/],
	['%REQ(a):1234567890%', /begins with %REQ is not closed/],
	['%REQ%', /%REQ% takes an argument/],
	['%REQ()%', /%REQ% takes an argument/],
	['%REQ(a b)%', /%REQ% does not take the argument "a b"/],
	['%REQ(a?b?c)%', /does not take the argument/],
	['%REQ(a:b)%', /does not take the argument/],
	['%PROTOCOL(x)%', /%PROTOCOL% takes no argument/],
	['%PROTOCOL:5%', /%PROTOCOL% takes no length/],
	['%START_TIME(%s):5%', /%START_TIME% takes no length/],
	['%DYNAMIC_METADATA(a):5%', /takes no length/],
	['%GRPC_STATUS(number)%', /expected CAMEL_STRING, SNAKE_STRING or NUMBER/],
	['%PATH(x)%', /expected WQ or NQ/],
	['%FILTER_STATE(a:FIELD)%', /does not take the argument/],
	['%METADATA(NOPE:a)%', /does not take the argument/],
	['%COMMON_DURATION(a)%', /does not take the argument/],
	['%NOPE%', /no operator %NOPE%/],
	['%CEL(request.path)%', /no operator %CEL%/],
	['%UPSTREAM_TLS_GROUP%', /not known to Envoy 1\.36/],
	['%COALESCE(a)%', /not known to Envoy 1\.36/],
])('%j is refused', ([format, message]) => {
	expect(messagesOf(format)).toEqual([expect.stringMatching(message)])
})

test('all wrong operators of a format are found, up to the first that has no end', () => {
	expect(messagesOf('%NOPE% %REQ% %DURATION% %(')).toHaveLength(3)
})

test('the nearest operator is named', () => {
	const [finding] = checkAccessLogFormat([], '%RESPONSE_COD%')
	expect([finding?.code, finding?.hint()]).toEqual(['SL0222', 'did you mean %RESPONSE_CODE%?'])
	expect(checkAccessLogFormat([], '%XYZ%')[0]?.hint()).toBeNull()
})

test('no operator is both taken and too new', () => {
	expect([...newerAccessLogOperators].filter((name) => accessLogOperators.has(name))).toEqual([])
})
