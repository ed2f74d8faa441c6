// The match in front of a policy: which requests a rollout sends to its canaries whatever the shares.
import { limits } from '#base/limits.ts'
import { errorAt, type Finding, type Path, pathToText } from '../finding.ts'
import type { RolloutPolicyFrontMatch } from '../manifest.generated.ts'
import type { FrontMatch } from '../route-spec.ts'
import { checkHeaders, readHeaders, readQueryParameters } from './header-match.ts'

export function readFrontMatch({ headers, queryParameters, metadata }: RolloutPolicyFrontMatch): FrontMatch {
	if (metadata !== undefined) return { kind: 'grpc', metadata: readHeaders(metadata) }
	return { kind: 'http', headers: readHeaders(headers), queryParameters: readQueryParameters(queryParameters) }
}

/** `path` leads to the list of matches. */
export function checkFront(front: readonly RolloutPolicyFrontMatch[], path: Path): readonly Finding[] {
	return [...front.flatMap((match, index) => checkFrontMatch(match, [...path, index])), ...checkSize(front, path)]
}

function checkFrontMatch({ headers, queryParameters, metadata }: RolloutPolicyFrontMatch, path: Path): Finding[] {
	const conditions = [...checkHeaders([...path, 'headers'], headers), ...checkHeaders([...path, 'metadata'], metadata)]
	if (metadata === undefined || (headers === undefined && queryParameters === undefined)) return conditions
	const message = `${pathToText(path)} has metadata, for gRPC routes, beside ${headers === undefined ? 'queryParameters' : 'headers'}, for HTTP routes`
	return [...conditions, errorAt([...path, 'metadata'], 'SL0259', message, 'write two matches')]
}

/** They are stored with each rollout of their policy. */
function checkSize(front: readonly RolloutPolicyFrontMatch[], path: Path): Finding[] {
	const size = JSON.stringify(front.map(readFrontMatch)).length
	if (size <= limits.frontChars) return []
	const message = `${pathToText(path)} takes ${size} characters; expected at most ${limits.frontChars}`
	return [errorAt(path, 'SL0208', message, 'have something in front of the mesh set one short header')]
}
