import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import type { Resource, ResourceId } from './mesh.ts'

/** Which of a resource's values a finding about its links is about. */
export type LinkPlace =
	| {
			readonly kind:
				| 'mesh'
				| 'name'
				| 'provider'
				/** Of a rollout policy. */
				| 'match'
				| 'front'
				| 'steps'
				| 'sticky'
				| 'virtualRouter'
				| 'virtualGateway'
				/** `httpRoute` and its like. */
				| 'routeType'
				/** Of a gateway route's target. */
				| 'virtualService'
				| 'virtualServicePort'
				/** Of a proxy's own stats. */
				| 'prometheusPort'
	  }
	| { readonly kind: 'target' | 'targetPort'; readonly index: number }
	| { readonly kind: 'listenerPort'; readonly port: number }
	| { readonly kind: 'backend' | 'egressPort'; readonly service: string }

/** Something wrong, or loose, between resources. */
export type LinkFinding = {
	readonly code: DiagnosticCode
	/** The resource that says it. */
	readonly resource: ResourceId
	readonly place: LinkPlace
	readonly message: string
	/** The resource that is named and not declared; null when something else is to be said. */
	readonly missing: ResourceId | null
}

export type Resources = Readonly<Record<ResourceId, Resource>>

/** A name that stands for nothing. `what` is shown, such as `the virtual node "a"`. */
export function missingLink(resource: Resource, place: LinkPlace, id: ResourceId, what: string): LinkFinding {
	return { code: 'SL0301', resource: resource.id, place, message: `${what} is not declared`, missing: id }
}

/** The resource's own name: the last part of its id. */
export function lastName(id: ResourceId): string {
	return id.slice(id.lastIndexOf('/') + 1)
}
