// TLS has two ends, and they are written in two documents. Where one asks for what the other has not, every connection
// fails, and both documents look right.
import { type LinkFinding, type LinkPlace, lastName, type Resources } from './link-finding.ts'
import type { Resource, ResourceId } from './mesh.ts'
import type { ClientTls } from './proxy-spec.ts'
import { type Answering, answeringListeners, targetsByRouter } from './service-listeners.ts'

/** Callers whose TLS does not go with that of the listeners that they reach. */
export function findLooseClients(sorted: readonly Resource[], resources: Resources): readonly LinkFinding[] {
	const targets = targetsByRouter(sorted, resources)
	const said = new Set<string>()
	return sorted.flatMap((resource) =>
		callsOf(resource, resources).flatMap((call): LinkFinding[] => {
			const service = resources[call.service]
			if (service?.kind !== 'VirtualService') return []
			const reached = answeringListeners(service, resources, targets).filter(({ servicePort }) =>
				isFor(call, servicePort),
			)
			const [first] = reached.map((answering) => whyRefused(call, answering)).filter((reason) => reason !== null)
			// All routes of a gateway have its one policy: once is enough.
			if (first === undefined || said.has(`${call.caller} ${first.message}`)) return []
			said.add(`${call.caller} ${first.message}`)
			return [{ ...first, resource: resource.id, place: call.place, missing: null }]
		}),
	)
}

function isFor({ port }: Call, servicePort: number | null): boolean {
	return port === null || servicePort === null || port === servicePort
}

type Call = {
	readonly caller: ResourceId
	readonly service: ResourceId
	/** Of the service; null: any. */
	readonly port: number | null
	readonly clientTls: ClientTls | null
	readonly place: LinkPlace
}

/** A gateway calls what its routes lead to. */
function callsOf(resource: Resource, resources: Resources): readonly Call[] {
	if (resource.kind === 'VirtualNode') {
		return resource.spec.backends.map(({ virtualService, clientTls }) => {
			const place = { kind: 'backend', service: lastName(virtualService) } as const
			return { caller: resource.id, service: virtualService, port: null, clientTls, place }
		})
	}
	if (resource.kind !== 'GatewayRoute') return []
	const gateway = resources[resource.spec.virtualGateway]
	if (gateway?.kind !== 'VirtualGateway') return []
	const { virtualService, port } = resource.spec.target
	const place = { kind: 'virtualService' } as const
	return [{ caller: gateway.id, service: virtualService, port, clientTls: gateway.spec.clientTls, place }]
}

function whyRefused({ service, clientTls }: Call, { node, listener }: Answering): Refused | null {
	const { tls, port } = listener
	const policy =
		clientTls !== null && (clientTls.ports.length === 0 || clientTls.ports.includes(port)) ? clientTls : null
	const offers = tls !== null && tls.mode !== 'DISABLED'
	const where = `"${lastName(service)}" is answered by "${node}" on port ${port}`
	if (!offers) {
		return policy?.enforce === true
			? { code: 'SL0328', message: `${where}, which offers no TLS, and the client policy enforces it` }
			: null
	}
	if (tls.validation === null || (policy !== null && policy.certificate !== null)) return null
	return { code: 'SL0329', message: `${where}, which asks its clients for a certificate, and the caller shows none` }
}

type Refused = Pick<LinkFinding, 'code' | 'message'>
