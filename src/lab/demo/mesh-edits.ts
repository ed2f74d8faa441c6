import { assert } from '#base/assert.ts'
import type { RepositoryFiles } from '../git-repository.ts'

// The demo's commits, as edits of the files of `mesh-config/`: text for text, as a person would make them.

export const routeFile = 'route-service-b.yaml'
export const nodesFile = 'service-b.yaml'

export type WrittenWeights = Readonly<Record<string, number>>

/** The route's file with these weighted targets in place of its own. */
export function withWeights(text: string, weights: WrittenWeights): string {
	const targets = Object.entries(weights).map(
		([node, weight]) => `        - { virtualNode: ${node}, weight: ${weight} }`,
	)
	return replaceOnce(text, /(\n {6}weightedTargets:\n)(?: {8}- .*\n)+/, (_, head) => `${head}${targets.join('\n')}\n`)
}

/** The file without the document of one virtual node; what stands above the first document stays. */
export function withoutNode(text: string, node: string): string {
	const head = /^(?:#.*\n)*/.exec(text)?.[0] ?? ''
	const documents = text.slice(head.length).split(/^---\n/m)
	const isNode = (document: string) =>
		document.includes('kind: VirtualNode\n') && document.includes(`\n  name: ${node}\n`)
	const kept = documents.filter((document) => !isNode(document))
	assert(kept.length === documents.length - 1, `${node} is one document of the file`)
	return head + kept.join('---\n')
}

/** The whole mesh on another port than 80, and the requests that it is expected to take. */
export function onPort(files: RepositoryFiles, port: number): RepositoryFiles {
	return Object.fromEntries(
		Object.entries(files).map(([file, text]) => [
			file,
			text.replaceAll('port: 80,', `port: ${port},`).replaceAll('.apps.local/', `.apps.local:${port}/`),
		]),
	)
}

function replaceOnce(text: string, pattern: RegExp, replacement: (...found: string[]) => string): string {
	const replaced = text.replace(pattern, replacement)
	assert(replaced !== text || pattern.test(text), 'the file has the form that mesh-config/ has')
	return replaced
}
