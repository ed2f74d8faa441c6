// What a gateway route changes in a request before the mesh's own routes see it. App Mesh's defaults change something:
// the host becomes the virtual service's name, and a matched prefix becomes `/`.
import { errorAt, type Finding, type Path } from '../finding.ts'
import type { GatewayRouteHttpAction } from '../manifest.generated.ts'
import type { GatewayRouteSpec, PathMatch, PathRewrite } from '../route-spec.ts'
import type { WrittenPath } from './path-match.ts'

export type WrittenRewrite = NonNullable<GatewayRouteHttpAction['rewrite']>

export function readHostRewrite({ hostname }: Pick<WrittenRewrite, 'hostname'> = {}): GatewayRouteSpec['hostRewrite'] {
	return hostname?.defaultTargetHostname === 'DISABLED' ? 'none' : 'virtualService'
}

/** A rewrite that changes no path, such as that of `/` to `/`, is none. */
export function readPathRewrite(match: PathMatch, rewrite: WrittenRewrite = {}): PathRewrite {
	if (match.kind !== 'prefix') {
		return rewrite.path === undefined ? { kind: 'none' } : { kind: 'path', path: rewrite.path.exact }
	}
	const prefix = rewrite.prefix?.defaultPrefix === 'DISABLED' ? match.prefix : (rewrite.prefix?.value ?? '/')
	return prefix === match.prefix ? { kind: 'none' } : { kind: 'prefix', prefix }
}

/** `at` is the rewrite. */
export function checkPathRewrite(at: Path, match: WrittenPath, rewrite: WrittenRewrite = {}): readonly Finding[] {
	const { prefix, path } = rewrite
	if (prefix !== undefined && path !== undefined) {
		return [errorAt(at, 'SL0209', `${at.join('.')} has both prefix and path; expected one of them`)]
	}
	if (prefix !== undefined && match.path !== undefined) {
		const message = 'the match is by path, so there is no prefix to rewrite'
		return [{ ...errorAt([...at, 'prefix'], 'SL0244', message, 'rewrite the path: path: {exact: /…}'), at: 'key' }]
	}
	if (path !== undefined && match.path === undefined) {
		const message = 'the match is by prefix, so the whole path cannot be rewritten'
		return [{ ...errorAt([...at, 'path'], 'SL0244', message, 'rewrite the prefix, or match by path'), at: 'key' }]
	}
	return []
}
