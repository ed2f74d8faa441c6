import { nearestName } from '#base/nearest-name.ts'
import { type DocumentKind, kinds } from './check-schema.ts'
import { errorAt, type Finding } from './finding.ts'
import { type ResourceId, resourceId } from './mesh.ts'
import { showValue } from './show-value.ts'

/** Which kind's schema a document is to be held against, or why none. */
export function identifyDocument(value: unknown): { readonly kind: DocumentKind } | { readonly finding: Finding } {
	const hint =
		'every document of a mesh begins with apiVersion: sluice/v1, kind and metadata; keep other YAML in another folder'
	if (!isMapping(value))
		return { finding: errorAt([], 'SL0109', `the document is ${showValue(value)}, no resource`, hint) }
	const { apiVersion, kind } = value
	if (typeof apiVersion !== 'string' || !apiVersion.startsWith('sluice/')) {
		if (apiVersion === undefined) return { finding: errorAt([], 'SL0109', 'the document has no apiVersion', hint) }
		const message = `apiVersion is ${showValue(apiVersion)}; expected "sluice/v1"`
		return { finding: errorAt(['apiVersion'], 'SL0109', message, hint) }
	}
	if (apiVersion !== 'sluice/v1') {
		return {
			finding: errorAt(['apiVersion'], 'SL0201', `apiVersion is ${showValue(apiVersion)}; expected "sluice/v1"`),
		}
	}
	const known = kinds.find((candidate) => candidate === kind)
	return known === undefined ? { finding: refuseKind(kind) } : { kind: known }
}

function refuseKind(kind: unknown): Finding {
	if (kind === undefined) return errorAt([], 'SL0202', 'the document has no kind', `the kinds are ${kinds.join(', ')}`)
	const finding = errorAt(['kind'], 'SL0202', `kind is ${showValue(kind)}, which is not known`)
	const hint = () => {
		const nearest = typeof kind === 'string' ? nearestName(kind, kinds) : null
		return nearest === null ? `the kinds are ${kinds.join(', ')}` : `did you mean ${nearest}?`
	}
	return { ...finding, hint }
}

/** The id a document would have if the rest of it were right; null when its metadata do not say. */
export function idOfBrokenDocument(kind: DocumentKind, value: unknown): ResourceId | null {
	const metadata = isMapping(value) && isMapping(value.metadata) ? value.metadata : {}
	const { mesh, name, virtualRouter, virtualGateway } = metadata
	if (typeof name !== 'string') return null
	if (kind === 'Mesh') return resourceId.mesh(name)
	if (typeof mesh !== 'string') return null
	switch (kind) {
		case 'VirtualNode':
			return resourceId.virtualNode(mesh, name)
		case 'VirtualService':
			return resourceId.virtualService(mesh, name)
		case 'VirtualRouter':
			return resourceId.virtualRouter(mesh, name)
		case 'Expectation':
			return resourceId.expectation(mesh, name)
		case 'RolloutPolicy':
			return resourceId.rolloutPolicy(mesh, name)
		case 'VirtualGateway':
			return resourceId.virtualGateway(mesh, name)
		case 'GatewayRoute':
			return typeof virtualGateway === 'string' ? resourceId.gatewayRoute(mesh, virtualGateway, name) : null
		case 'Route':
			return typeof virtualRouter === 'string' ? resourceId.route(mesh, virtualRouter, name) : null
	}
}

function isMapping(value: unknown): value is Record<string, unknown> {
	return value !== null && typeof value === 'object' && !Array.isArray(value)
}
