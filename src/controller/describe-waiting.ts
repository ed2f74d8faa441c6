import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { findWaiting, type MissingReference, type Waiting } from '#xds/missing-references.ts'

const known = new WeakMap<readonly Waiting[], readonly string[]>()

/** What of a snapshot cannot be sent yet and why, a line each; the first few. */
export function describeWaiting(snapshot: Snapshot | null): readonly string[] {
	if (snapshot === null) return []
	const waiting = findWaiting(snapshot)
	let lines = known.get(waiting)
	if (lines === undefined) {
		lines = waiting.slice(0, limits.namedProxies).map(describe)
		known.set(waiting, lines)
	}
	return lines
}

function describe({ typeUrl, name, missing }: Waiting): string {
	const kind = typeUrl === typeUrls.listener ? 'listener' : 'cluster'
	return `the ${kind} ${name} waits for ${missing.map(describeMissing).join(' and ')}`
}

function describeMissing({ typeUrl, name }: MissingReference): string {
	return typeUrl === typeUrls.secret ? `the secret ${name}` : `the endpoints ${name}`
}
