// What certificates and authorities are written as, at servers and clients alike.

import { assert } from '#base/assert.ts'
import type {
	VirtualNodeFileCertificate,
	VirtualNodeFileTrust,
	VirtualNodeSdsSecret,
	VirtualNodeSubjectAlternativeNames,
} from '../manifest.generated.ts'
import type { Certificate, TlsValidation, Trust } from '../proxy-spec.ts'

type CertificateManifest = {
	acm?: { certificateArn: string }
	file?: VirtualNodeFileCertificate
	sds?: VirtualNodeSdsSecret
}

/** The schema has seen to it that there is exactly one. */
export function readCertificate({ acm, file, sds }: CertificateManifest): Certificate {
	if (acm !== undefined) return { kind: 'acm', certificateArn: acm.certificateArn }
	if (sds !== undefined) return { kind: 'sds', secretName: sds.secretName }
	assert(file !== undefined, 'a certificate is of acm, file or sds')
	return { kind: 'file', certificateChain: file.certificateChain, privateKey: file.privateKey }
}

type ValidationManifest = {
	trust: { acm?: { certificateAuthorityArns: string[] }; file?: VirtualNodeFileTrust; sds?: VirtualNodeSdsSecret }
	subjectAlternativeNames?: VirtualNodeSubjectAlternativeNames
}

/** Names come out sorted, each once: one of them is enough. */
export function readTlsValidation({ trust, subjectAlternativeNames }: ValidationManifest): TlsValidation {
	const names = new Set(subjectAlternativeNames?.match.exact)
	return { trust: readTrust(trust), subjectAlternativeNames: [...names].sort() }
}

function readTrust({ acm, file, sds }: ValidationManifest['trust']): Trust {
	if (acm !== undefined)
		return { kind: 'acm', certificateAuthorityArns: [...new Set(acm.certificateAuthorityArns)].sort() }
	if (sds !== undefined) return { kind: 'sds', secretName: sds.secretName }
	assert(file !== undefined, 'a trust is of acm, file or sds')
	return { kind: 'file', certificateChain: file.certificateChain }
}
