import { Argument, type Command } from 'commander'
import expectationSchema from '../../schemas/expectation.schema.json' with { type: 'json' }
import gatewayRouteSchema from '../../schemas/gateway-route.schema.json' with { type: 'json' }
import meshSchema from '../../schemas/mesh.schema.json' with { type: 'json' }
import rolloutPolicySchema from '../../schemas/rollout-policy.schema.json' with { type: 'json' }
import routeSchema from '../../schemas/route.schema.json' with { type: 'json' }
import sluiceSchema from '../../schemas/sluice.schema.json' with { type: 'json' }
import virtualNodeSchema from '../../schemas/virtual-node.schema.json' with { type: 'json' }
import virtualRouterSchema from '../../schemas/virtual-router.schema.json' with { type: 'json' }
import virtualServiceSchema from '../../schemas/virtual-service.schema.json' with { type: 'json' }
import { type VerbContext, verbGroups } from './verb.ts'

/** What an editor completes and checks mesh YAML with, by kind. */
const schemas: Readonly<Record<string, object>> = {
	Mesh: meshSchema,
	VirtualNode: virtualNodeSchema,
	VirtualService: virtualServiceSchema,
	VirtualRouter: virtualRouterSchema,
	Route: routeSchema,
	GatewayRoute: gatewayRouteSchema,
	RolloutPolicy: rolloutPolicySchema,
	Expectation: expectationSchema,
}

export function addSchema(program: Command, { terminal }: VerbContext): void {
	program
		.command('schema')
		.helpGroup(verbGroups.offline)
		.summary('print the JSON Schema of a kind, or of all')
		.description('Prints a JSON Schema. With no kind: the one for files of any kind, which names the others.')
		.addArgument(new Argument('[kind]', 'kind of resource').choices(Object.keys(schemas)))
		.action((kind?: string) => terminal.out(JSON.stringify(kind === undefined ? sluiceSchema : schemas[kind], null, 2)))
}
