import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { rewritePath } from '#explain/rewrite-path.ts'
import { RouteActionSchema, RouteMatchSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'

type Specifier = NonNullable<MessageInitShape<typeof RouteMatchSchema>['pathSpecifier']>

test.for<[Specifier, string, string, string | null]>([
	[{ case: 'prefix', value: '/old/' }, '/new/', '/old/x?y=/old/', '/new/x?y=/old/'],
	[{ case: 'prefix', value: '/old' }, '/', '/older', '/er'],
	[{ case: 'pathSeparatedPrefix', value: '/old' }, '/new', '/old/x', '/new/x'],
	[{ case: 'path', value: '/old' }, '/new', '/old?x', '/new?x'],
	[{ case: 'safeRegex', value: { regex: '/o.*' } }, '/new', '/old/x?y', '/new?y'],
	[{ case: 'prefix', value: '/old' }, '', '/old', null],
])('%j, %s: %s → %s', ([pathSpecifier, prefixRewrite, path, rewritten]) => {
	const match = create(RouteMatchSchema, { pathSpecifier })
	expect(rewritePath(match, create(RouteActionSchema, { prefixRewrite }), path)).toBe(rewritten)
})
