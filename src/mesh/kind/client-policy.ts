import { errorAt, type Finding, type Path } from '../finding.ts'
import type { VirtualNodeClientPolicy } from '../manifest.generated.ts'
import type { ClientTls } from '../proxy-spec.ts'
import { showValue } from '../show-value.ts'
import { acmFiles, warnOfAcm } from './acm-warning.ts'
import { readCertificate, readTlsValidation } from './tls-material.ts'

/** `null`: it says nothing of TLS, so the listener of the service decides. Ports come out sorted, each once. */
export function readClientTls(policy: VirtualNodeClientPolicy | undefined): ClientTls | null {
	if (policy?.tls === undefined) return null
	const { enforce = true, ports = [], certificate, validation } = policy.tls
	return {
		enforce,
		ports: [...new Set(ports)].sort((left, right) => left - right),
		certificate: certificate === undefined ? null : readCertificate(certificate),
		validation: readTlsValidation(validation),
	}
}

export function checkClientPolicy(path: Path, policy: VirtualNodeClientPolicy | undefined): readonly Finding[] {
	if (policy?.tls === undefined) return []
	const { enforce = true, validation } = policy.tls
	const at = [...path, 'tls', 'validation']
	const arns = validation.trust.acm?.certificateAuthorityArns ?? []
	return [
		...arns.map((arn, index) =>
			warnOfAcm([...at, 'trust', 'acm', 'certificateAuthorityArns', index], arn, acmFiles.authority),
		),
		...(enforce ? refuseWildcards(at, validation.subjectAlternativeNames?.match.exact ?? []) : []),
	]
}

function refuseWildcards(path: Path, names: readonly string[]): readonly Finding[] {
	return names.flatMap((name, index) => {
		if (!name.includes('*')) return []
		const message = `${showValue(name)} is a wildcard, which App Mesh takes only where enforce is false`
		const at = [...path, 'subjectAlternativeNames', 'match', 'exact', index]
		return [errorAt(at, 'SL0223', message, 'write the names out')]
	})
}
