import type { Finding, Path } from '../finding.ts'
import type { VirtualNodeListenerTls } from '../manifest.generated.ts'
import type { ListenerTls } from '../proxy-spec.ts'
import { acmFiles, warnOfAcm } from './acm-warning.ts'
import { readCertificate, readTlsValidation } from './tls-material.ts'

export function readListenerTls(tls: VirtualNodeListenerTls | undefined): ListenerTls | null {
	if (tls === undefined) return null
	const { mode, certificate, validation } = tls
	return {
		mode,
		certificate: readCertificate(certificate),
		validation: validation === undefined ? null : readTlsValidation(validation),
	}
}

export function checkListenerTls(path: Path, tls: VirtualNodeListenerTls | undefined): readonly Finding[] {
	const arn = tls?.certificate.acm?.certificateArn
	return arn === undefined
		? []
		: [warnOfAcm([...path, 'certificate', 'acm', 'certificateArn'], arn, acmFiles.certificate)]
}
