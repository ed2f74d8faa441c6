import { assert } from '../../../src/base/assert.ts'
import { renderDiagnostic } from '../../../src/cli/render-diagnostic.ts'
import type { ReadOutcome } from '../../../src/mesh/mesh.ts'
import { readMesh } from '../../../src/mesh/read-mesh.ts'

/** A mesh `apps`: the node, router and route `b`, and the service b.local. */
export const smallMesh = `apiVersion: sluice/v1
kind: Mesh
metadata: {name: apps}
---
apiVersion: sluice/v1
kind: VirtualNode
metadata: {mesh: apps, name: b}
spec:
  listeners: [{portMapping: {port: 80, protocol: http2}}]
  serviceDiscovery: {dns: {hostname: b.local}}
---
apiVersion: sluice/v1
kind: VirtualRouter
metadata: {mesh: apps, name: b}
spec: {listeners: [{portMapping: {port: 80, protocol: http2}}]}
---
apiVersion: sluice/v1
kind: Route
metadata: {mesh: apps, virtualRouter: b, name: b}
spec:
  http2Route:
    match: {prefix: /}
    action:
      weightedTargets: [{virtualNode: b, weight: 100}]
---
apiVersion: sluice/v1
kind: VirtualService
metadata: {mesh: apps, name: b.local}
spec: {provider: {virtualRouter: {virtualRouterName: b}}}
`

/** The documents of `smallMesh`, each by itself. */
export const smallMeshDocuments: readonly string[] = smallMesh.split('---\n')

export function filesOf(texts: Readonly<Record<string, string>>): Map<string, Uint8Array> {
	const encoder = new TextEncoder()
	return new Map(Object.entries(texts).map(([file, text]) => [file, encoder.encode(text)]))
}

/** The outcome of files that must be accepted. */
export function readOk(texts: Readonly<Record<string, string>>): Extract<ReadOutcome, { kind: 'ok' }> {
	const outcome = readMesh(filesOf(texts))
	if (outcome.kind === 'ok') return outcome
	const shown = outcome.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, { color: false })).join('\n')
	assert(false, `the files must be accepted:\n${shown}`)
}

/** Codes of what is found in files, errors and warnings, in order. */
export function codesOf(texts: Readonly<Record<string, string>>): readonly string[] {
	const outcome = readMesh(filesOf(texts))
	return (outcome.kind === 'ok' ? outcome.warnings : outcome.diagnostics).map(({ code }) => code)
}
