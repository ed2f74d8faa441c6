// A document's value against the published JSON Schema of its kind. The schemas are the only list of fields, types and
// bounds; what they cannot say (links, sums, regular expressions) is checked in kind/ and link.ts.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { assert } from '#base/assert.ts'
import expectationSchema from '../../schemas/expectation.schema.json' with { type: 'json' }
import gatewayRouteSchema from '../../schemas/gateway-route.schema.json' with { type: 'json' }
import meshSchema from '../../schemas/mesh.schema.json' with { type: 'json' }
import rolloutPolicySchema from '../../schemas/rollout-policy.schema.json' with { type: 'json' }
import routeSchema from '../../schemas/route.schema.json' with { type: 'json' }
import virtualGatewaySchema from '../../schemas/virtual-gateway.schema.json' with { type: 'json' }
import virtualNodeSchema from '../../schemas/virtual-node.schema.json' with { type: 'json' }
import virtualRouterSchema from '../../schemas/virtual-router.schema.json' with { type: 'json' }
import virtualServiceSchema from '../../schemas/virtual-service.schema.json' with { type: 'json' }
import { explainSchemaErrors } from './explain-schema-errors.ts'
import type { Finding } from './finding.ts'
import type { Manifest } from './manifest.generated.ts'
import type { Kind } from './mesh.ts'

/** What a document can be: a resource, or what is expected of them. */
export type DocumentKind = Kind | 'Expectation'

const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true, strictRequired: false, discriminator: true })

const validators: Readonly<Partial<Record<DocumentKind, ValidateFunction>>> = {
	Mesh: ajv.compile(meshSchema),
	VirtualNode: ajv.compile(virtualNodeSchema),
	VirtualService: ajv.compile(virtualServiceSchema),
	VirtualRouter: ajv.compile(virtualRouterSchema),
	Route: ajv.compile(routeSchema),
	VirtualGateway: ajv.compile(virtualGatewaySchema),
	GatewayRoute: ajv.compile(gatewayRouteSchema),
	RolloutPolicy: ajv.compile(rolloutPolicySchema),
	Expectation: ajv.compile(expectationSchema),
}

/** The kinds that can be declared. */
export const kinds = Object.keys(validators) as readonly DocumentKind[]

/** The document as its kind's type, or all that its schema finds wrong with it. */
export function checkSchema(
	kind: DocumentKind,
	value: unknown,
): { readonly ok: true; readonly manifest: Manifest } | { readonly ok: false; readonly findings: readonly Finding[] } {
	const validate = validators[kind]
	assert(validate !== undefined, `${kind} has a schema`)
	if (validate(value)) return { ok: true, manifest: value as Manifest }
	return { ok: false, findings: explainSchemaErrors(kind, validate.errors ?? []) }
}
