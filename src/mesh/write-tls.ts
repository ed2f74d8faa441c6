import { unreachable } from '#base/assert.ts'
import type { Certificate, ClientTls, ListenerTls, TlsValidation } from './proxy-spec.ts'
import { type Written, writeList, writeMembers } from './write-members.ts'

export function writeListenerTls({ mode, certificate, validation }: ListenerTls): Written {
	return writeMembers({
		mode,
		certificate: writeCertificate(certificate),
		validation: validation === null ? null : writeValidation(validation),
	})
}

/** A client policy. */
export function writeClientTls({ enforce, ports, certificate, validation }: ClientTls): Written {
	return {
		tls: writeMembers({
			enforce: enforce ? null : false,
			ports: writeList(ports),
			certificate: certificate === null ? null : writeCertificate(certificate),
			validation: writeValidation(validation),
		}),
	}
}

function writeCertificate(certificate: Certificate): Written {
	switch (certificate.kind) {
		case 'file': {
			const { certificateChain, privateKey } = certificate
			return { file: { certificateChain, privateKey } }
		}
		case 'sds':
			return { sds: { secretName: certificate.secretName } }
		case 'acm':
			return { acm: { certificateArn: certificate.certificateArn } }
		default:
			return unreachable(certificate)
	}
}

function writeValidation({ trust, subjectAlternativeNames }: TlsValidation): Written {
	const names = subjectAlternativeNames.length === 0 ? null : { match: { exact: subjectAlternativeNames } }
	return writeMembers({ trust: writeTrust(trust), subjectAlternativeNames: names })
}

function writeTrust(trust: TlsValidation['trust']): Written {
	switch (trust.kind) {
		case 'file':
			return { file: { certificateChain: trust.certificateChain } }
		case 'sds':
			return { sds: { secretName: trust.secretName } }
		case 'acm':
			return { acm: { certificateAuthorityArns: trust.certificateAuthorityArns } }
		default:
			return unreachable(trust)
	}
}
