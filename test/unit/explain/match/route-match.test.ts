import { create, type Message, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { judgeRoute } from '#explain/match/route-match.ts'
import { RouteMatchSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'

type Init = Exclude<MessageInitShape<typeof RouteMatchSchema>, Message>
type Asked = { readonly path?: string; readonly method?: string; readonly contentType?: string }

const isTaken = (init: Init, { path = '/', method = 'GET', contentType }: Asked) => {
	const values = (name: string) => (name === 'content-type' && contentType !== undefined ? [contentType] : [])
	const judged = judgeRoute(create(RouteMatchSchema, init), { method, authority: 'a', path, values, sent: values })
	return judged.every(({ met }) => met)
}
const prefix = (value: string): Init => ({ pathSpecifier: { case: 'prefix', value } })
const exact = (value: string): Init => ({ pathSpecifier: { case: 'path', value } })
const below = (value: string): Init => ({ pathSpecifier: { case: 'pathSeparatedPrefix', value } })
const regex = (value: string): Init => ({ pathSpecifier: { case: 'safeRegex', value: { regex: value } } })

test.for<[Init, string, boolean]>([
	[prefix('/a'), '/ab', true],
	[prefix('/a'), '/A', false],
	[prefix('/a'), '/a?x', true],
	[prefix('/a?x'), '/a?x', false],
	[{ ...prefix('/A'), caseSensitive: false }, '/ab', true],
	[exact('/a'), '/a?x', true],
	[exact('/a'), '/a/', false],
	[{ ...exact('/A'), caseSensitive: false }, '/a', true],
	[below('/a'), '/a', true],
	[below('/a'), '/a/b', true],
	[below('/a'), '/a?x', true],
	[below('/a'), '/ab', false],
	[regex('/n/[0-9]+'), '/n/12?x=y', true],
	[regex('/n/[0-9]+'), '/n/12/x', false],
	[regex('n'), '/n', false],
	[regex('/a|/b'), '/b', true],
	[{}, '/', false],
])('%j takes %s: %s', ([init, path, taken]) => {
	expect(isTaken(init, { path })).toBe(taken)
})

test.for([
	['application/grpc', true],
	['application/grpc+proto', true],
	['application/grpc-web', false],
	['application/grpc;x', false],
	['application/GRPC', false],
	[undefined, false],
] as const)('gRPC is known by its content type: %s %s', ([contentType, taken]) => {
	expect(isTaken({ ...prefix('/'), grpc: {} }, contentType === undefined ? {} : { contentType })).toBe(taken)
})

test('a CONNECT has no path, and meets no route that asks for one', () => {
	expect(isTaken(prefix('/'), { method: 'CONNECT' })).toBe(false)
	expect(isTaken({ pathSpecifier: { case: 'connectMatcher', value: {} } }, { method: 'CONNECT' })).toBe(true)
})

test('a condition that is not known here is met by nothing', () => {
	expect(isTaken({ ...prefix('/'), runtimeFraction: { defaultValue: { numerator: 100 } } }, {})).toBe(false)
})
