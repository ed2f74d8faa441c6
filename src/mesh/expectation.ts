// What a mesh's writers expect of it. It is read with the mesh and is no part of it; whether it holds is for explain/ to
// say.
import { compareText } from '#base/diagnostic.ts'
import { errorAt, type Finding } from './finding.ts'
import type { ExpectationManifest } from './manifest.generated.ts'
import { type Expectation, resourceId } from './mesh.ts'

export function readExpectation({ metadata, spec }: ExpectationManifest): Expectation {
	const { mesh, name } = metadata
	const { from, request, expect } = spec
	const headers = Object.entries(request.headers ?? {})
		.map(([header, value]) => ({ name: header.toLowerCase(), value }))
		.sort((left, right) => compareText(left.name, right.name) || compareText(left.value, right.value))
	return {
		id: resourceId.expectation(mesh, name),
		mesh,
		name,
		from:
			from.virtualNode === undefined
				? { kind: 'virtualGateway', name: from.virtualGateway ?? '' }
				: { kind: 'virtualNode', name: from.virtualNode },
		request: { method: request.method ?? 'GET', url: request.url, headers },
		expected: {
			route: expect.route ?? null,
			gatewayRoute: expect.gatewayRoute ?? null,
			virtualService: expect.virtualService ?? null,
			virtualNodes: expect.virtualNodes === undefined ? null : [...new Set(expect.virtualNodes)].sort(compareText),
			noRoute: expect.noRoute ?? false,
		},
	}
}

/** What is wrong in one expectation that its schema cannot say. */
export function checkExpectation({ spec: { from, request, expect } }: ExpectationManifest): readonly Finding[] {
	const findings: Finding[] = []
	const wanted = Object.keys(expect).filter((field) => field !== 'noRoute')
	if (wanted.length === 0 && expect.noRoute === undefined) {
		const message = 'spec.expect expects nothing; expected noRoute, or at least one of the other fields'
		findings.push(errorAt(['spec', 'expect'], 'SL0209', message))
	}
	if (wanted.length > 0 && expect.noRoute !== undefined) {
		const message = `no route is expected, and so nothing that a route leads to: ${wanted.join(', ')}`
		findings.push({ ...errorAt(['spec', 'expect', 'noRoute'], 'SL0245', message, 'keep one of the two'), at: 'key' })
	}
	if (from.virtualNode !== undefined && expect.gatewayRoute !== undefined) {
		const message = `a virtual node's proxy has no gateway routes`
		const hint = 'ask from a virtualGateway, or expect a route'
		findings.push(errorAt(['spec', 'expect', 'gatewayRoute'], 'SL0245', message, hint))
	}
	if (!URL.canParse(request.url)) {
		const message = `spec.request.url is "${request.url}"; expected: an absolute http or https URL`
		findings.push(errorAt(['spec', 'request', 'url'], 'SL0208', message))
	}
	return findings
}
