// A mesh against what its own writers expect of it. It runs in the worker that reads the mesh, under its bounds.
import { compareDiagnostics, type Diagnostic } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { identityPath, type ProxyIdentity } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { checkExpectation } from '#explain/check-expectation.ts'
import { type Configuration, compiledConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import { placeRoutes } from '#explain/place-routes.ts'
import { readRequest } from '#explain/read-request.ts'
import type { Expectation, ReadOutcome, ResourceId } from '#mesh/mesh.ts'
import { effectiveMesh } from './effective.ts'
import { groupAsked } from './group-asked.ts'
import { type PlacedFinding, placeFinding } from './place-finding.ts'
import type { ReadMesh } from './reading-answer.ts'

type Finding = Omit<PlacedFinding, 'id'>

/** The same outcome, or a refusal with an error for everything in which the mesh is not as expected. */
export function runExpectations(read: ReadMesh, files: ReadonlyMap<string, Uint8Array>): ReadOutcome {
	if (read.expectations.length > limits.expectations) return { kind: 'refused', diagnostics: [tooMany(read)] }
	const configurationOf = configurationsOf(read)
	const errors = read.expectations.flatMap((expectation) =>
		findingsOf(expectation, { read, configurationOf }).map((finding) =>
			placeFinding({ ...finding, id: expectation.id }, { origins: read.origins, files }),
		),
	)
	if (errors.length === 0) return read
	const shown = errors.sort(compareDiagnostics).slice(0, limits.diagnostics)
	return { kind: 'refused', diagnostics: [...shown, ...read.warnings].sort(compareDiagnostics) }
}

function tooMany({ expectations, origins }: ReadMesh): Diagnostic {
	const first = expectations[limits.expectations]
	const { file, line, column } = origins[first?.id ?? ('' as ResourceId)]?.[''] ?? { file: '', line: 0, column: 0 }
	const message = `the revision has ${expectations.length} expectations; ${limits.expectations} are the most`
	return { code: 'SL0005', severity: 'error', message, file, line, column, frame: [], hint: null }
}

type ConfigurationOf = (identity: ProxyIdentity) => Configuration | null

/** Compiled once a proxy: several expectations ask the same. */
function configurationsOf({ mesh }: ReadMesh): ConfigurationOf {
	const effective = effectiveMesh(mesh, [])
	const known = new Map<string, Configuration | null>()
	return (identity) => {
		const path = identityPath(identity)
		const found = known.get(path)
		if (found !== undefined) return found
		const compiled = compileGroup(effective, groupAsked(identity, 'intercept'), nothingDiscovered)
		const configuration = compiled === null ? null : compiledConfiguration(compiled)
		known.set(path, configuration)
		return configuration
	}
}

type Context = { readonly read: ReadMesh; readonly configurationOf: ConfigurationOf }

function findingsOf(expectation: Expectation, { read, configurationOf }: Context): Finding[] {
	const { mesh, from, request } = expectation
	const identity: ProxyIdentity = { mesh, ...from }
	const configuration = configurationOf(identity)
	// That it is declared nowhere was found when the mesh was linked.
	if (configuration === null) return []
	const asked = readRequest(request.method, request.url, request.headers)
	if (!asked.ok) {
		return [
			{
				code: 'SL0402',
				pointer: '/spec/request',
				message: `no client can send this request: ${asked.error}`,
				hint: null,
			},
		]
	}
	const explained = explainRequest(configuration, groupAsked(identity, 'intercept'), asked.value)
	const known = { resources: read.mesh.resources, origins: read.origins }
	return checkExpectation(expectation, placeRoutes(explained, known)).map((shortfall) => ({
		code: 'SL0401',
		...shortfall,
	}))
}
