import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { chooseHost } from '#explain/choose-host.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'

const hosts = {
	exact: ['Exact.com', 'exact.com:81'],
	suffix: ['*.suf.com'],
	longerSuffix: ['*-x.suf.com'],
	prefix: ['pre.*'],
	longerPrefix: ['pre.long.*'],
}
const choose = (authority: string, more: Record<string, string[]> = {}, ignorePort = false) => {
	const virtualHosts = Object.entries({ ...hosts, ...more }).map(([name, domains]) => ({ name, domains }))
	const routes = create(RouteConfigurationSchema, { virtualHosts, ignorePortInHostMatching: ignorePort })
	return chooseHost(routes, authority)?.host.name ?? null
}

test.for([
	['exact.com', 'exact'],
	['EXACT.com', 'exact'],
	['exact.com:80', null],
	['exact.com:81', 'exact'],
	['exact.com.', null],
	['a.suf.com', 'suffix'],
	['a.b.suf.com', 'suffix'],
	['a-x.suf.com', 'longerSuffix'],
	['-x.suf.com', 'suffix'],
	['.suf.com', null],
	['suf.com', null],
	['a.suf.com:80', null],
	['pre.a', 'prefix'],
	['PRE.A', 'prefix'],
	['pre.', null],
	['pre.long.a', 'longerPrefix'],
	['pre.a.suf.com', 'suffix'],
	['', null],
] as const)('%s is for %s', ([authority, name]) => {
	expect(choose(authority)).toBe(name)
})

test('* takes what nothing else does', () => {
	expect(choose('other', { all: ['*'] })).toBe('all')
	expect(choose('exact.com', { all: ['*'] })).toBe('exact')
})

test('the port counts unless it is to be ignored', () => {
	expect(choose('exact.com:1234', {}, true)).toBe('exact')
})
