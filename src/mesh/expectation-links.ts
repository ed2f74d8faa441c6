import { nearestName } from '#base/nearest-name.ts'
import { errorAt, type Finding, type Path } from './finding.ts'
import type { Resources } from './link-finding.ts'
import type { Expectation, Kind, ResourceId } from './mesh.ts'

export type BrokenExpectation = {
	readonly expectation: ResourceId
	readonly finding: Finding
	/** What is not declared. */
	readonly name: string
}

/** A name that an expectation uses, and of what kind of resource. */
type Used = { readonly kind: Kind; readonly what: string; readonly name: string; readonly path: Path }

/** Names in expectations that are declared nowhere in their mesh. A route goes by its own name, whatever its router. */
export function findBrokenExpectations(
	expectations: readonly Expectation[],
	resources: Resources,
): readonly BrokenExpectation[] {
	if (expectations.length === 0) return []
	const names = Map.groupBy(Object.values(resources), ({ mesh, kind }) => `${mesh} ${kind}`)
	return expectations.flatMap((expectation) =>
		namesIn(expectation, names.has(`${expectation.mesh} Mesh`)).flatMap(
			({ kind, what, name, path }): BrokenExpectation[] => {
				const known = (names.get(`${expectation.mesh} ${kind}`) ?? []).map((resource) => resource.name)
				if (known.includes(name)) return []
				const hint = () => {
					const nearest = nearestName(name, known)
					return nearest === null ? null : `did you mean "${nearest}"?`
				}
				const finding = { ...errorAt(path, 'SL0301', `the ${what} "${name}" is not declared`), hint }
				return [{ expectation: expectation.id, finding, name }]
			},
		),
	)
}

/** Where the mesh is not declared, that is all there is to say. */
function namesIn({ mesh, from, expected }: Expectation, isDeclared: boolean): readonly Used[] {
	const { route, gatewayRoute, virtualService, virtualNodes } = expected
	const caller = from.kind === 'virtualNode' ? 'VirtualNode' : 'VirtualGateway'
	const expect = (field: string) => ['spec', 'expect', field]
	if (!isDeclared) return [{ kind: 'Mesh', what: 'mesh', name: mesh, path: ['metadata', 'mesh'] }]
	const wanted: (Omit<Used, 'name'> & { readonly name: string | null })[] = [
		{
			kind: caller,
			what: caller === 'VirtualNode' ? 'virtual node' : 'virtual gateway',
			name: from.name,
			path: ['spec', 'from', from.kind],
		},
		{ kind: 'Route', what: 'route', name: route, path: expect('route') },
		{ kind: 'GatewayRoute', what: 'gateway route', name: gatewayRoute, path: expect('gatewayRoute') },
		{ kind: 'VirtualService', what: 'virtual service', name: virtualService, path: expect('virtualService') },
		...(virtualNodes ?? []).map((name): Used => {
			return { kind: 'VirtualNode', what: 'virtual node', name, path: expect('virtualNodes') }
		}),
	]
	return wanted.flatMap((used) => (used.name === null ? [] : [{ ...used, name: used.name }]))
}
