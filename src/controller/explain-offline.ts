import type { Diagnostic } from '#base/diagnostic.ts'
import { nearestName } from '#base/nearest-name.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { type Capture, identityPath, type ProxyIdentity } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { compiledConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import type { Explained, Header } from '#explain/explained.ts'
import { placeRoutes } from '#explain/place-routes.ts'
import { readRequest } from '#explain/read-request.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { effectiveMesh } from './effective.ts'
import { groupAsked } from './group-asked.ts'
import { readOfflineCommit, readOfflineFolder } from './read-offline.ts'

export type OfflineQuestion = {
	readonly path: string
	/** Any name that Git knows a commit by; null: the folder as it lies there. */
	readonly commit: string | null
	readonly identity: ProxyIdentity
	readonly capture: Capture['mode']
	readonly method: string
	readonly url: string
	readonly headers: readonly Header[]
}

export type OfflineExplanation =
	| { readonly kind: 'explained'; readonly explained: Explained }
	| { readonly kind: 'refused'; readonly name: string; readonly diagnostics: readonly Diagnostic[] }
	| { readonly kind: 'unreadable'; readonly message: string }
	/** The question makes no sense: `message` says why. */
	| { readonly kind: 'mistaken'; readonly message: string }

/**
 * How the proxies of a node or gateway treat a request once all that is written is in force. A mesh that does not fulfil
 * its own expectations is explained like any other: this is how one finds out why.
 */
export async function explainOffline(question: OfflineQuestion): Promise<OfflineExplanation> {
	const { path, commit, identity, capture } = question
	const asked = readRequest(question.method, question.url, question.headers)
	if (!asked.ok) return { kind: 'mistaken', message: asked.error }
	const read = commit === null ? await readOfflineFolder(path, 'leave') : await readOfflineCommit(path, commit, 'leave')
	if (read.kind === 'unreadable') return read
	if (read.outcome.kind === 'refused') {
		return { kind: 'refused', name: read.name, diagnostics: read.outcome.diagnostics }
	}
	const { mesh, origins } = read.outcome
	const group = groupAsked(identity, capture)
	const compiled = compileGroup(effectiveMesh(mesh, []), group, nothingDiscovered)
	if (compiled === null) return { kind: 'mistaken', message: noSuchProxy(mesh, identityPath(identity)) }
	const explained = explainRequest(compiledConfiguration(compiled), group, asked.value)
	return { kind: 'explained', explained: placeRoutes(explained, { resources: mesh.resources, origins }) }
}

const mostNamed = 8

function noSuchProxy({ resources }: Mesh, wanted: string): string {
	const known = Object.values(resources)
		.filter(({ kind }) => kind === 'VirtualNode' || kind === 'VirtualGateway')
		.map(({ id }) => id)
	const nearest = nearestName(wanted, known)
	if (nearest !== null) return `the mesh has no ${wanted}: did you mean ${nearest}?`
	const more = known.length > mostNamed ? `, and ${known.length - mostNamed} more` : ''
	return `the mesh has no ${wanted}; it has ${known.slice(0, mostNamed).join(', ') || 'no virtual node'}${more}`
}
