// A match in front that no request of a route can meet: connections of TCP have no headers, and of gRPC it is metadata. A
// mirror of what cannot be copied. And what says which user a request is of, where nothing can.
import { compareText } from '#base/diagnostic.ts'
import { type LinkFinding, lastName, type Resources } from './link-finding.ts'
import type { Route } from './mesh.ts'
import { policyForRoute, writtenPolicyFor } from './rollout-policy.ts'

/** One finding for each policy, at the first route. Sorted by resource. */
export function findIdleFronts(resources: Resources): readonly LinkFinding[] {
	const routes = Object.values(resources).filter((resource) => resource.kind === 'Route')
	const sorted = routes.sort((left, right) => compareText(left.id, right.id))
	const findings = new Map<string, LinkFinding>()
	for (const route of sorted) {
		const policy = writtenPolicyFor({ resources }, route)
		if (policy === null || findings.has(policy.id)) continue
		const asked = policyForRoute({ resources }, route)
		const found = (what: 'front' | 'mirror' | 'sticky'): LinkFinding => {
			const says = what === 'sticky' ? 'is sticky' : `has a ${what}`
			const message = `the rollout policy "${policy.name}" ${says}, and speaks for ${describe(route)}`
			const place = { kind: what === 'mirror' ? 'steps' : what } as const
			return { code: 'SL0331', resource: policy.id, place, message, missing: null }
		}
		if (policy.spec.front.length > 0 && asked.front.length === 0) findings.set(policy.id, found('front'))
		else if (policy.spec.mirrorPpm > 0 && asked.mirrorPpm === 0) findings.set(policy.id, found('mirror'))
		else if (policy.spec.sticky !== null && asked.sticky === null) findings.set(policy.id, found('sticky'))
	}
	return [...findings.values()].sort((left, right) => compareText(left.resource, right.resource))
}

function describe({ name, spec: { virtualRouter, match } }: Route): string {
	const route = `route "${name}" of "${lastName(virtualRouter)}"`
	switch (match.kind) {
		case 'tcp':
			return `the TCP ${route}, whose connections have nothing that could match, be copied or name a user`
		case 'grpc':
			return `the gRPC ${route}, whose requests match by metadata`
		case 'http':
			return `the HTTP ${route}, whose requests match by headers and queryParameters`
	}
}
