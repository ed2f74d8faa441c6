import { type Finding, type Path, warningAt } from '../finding.ts'

/** What stands in for ACM, in a folder of the daemon's certificates directory. */
export const acmFiles = { certificate: 'tls.crt and tls.key', authority: 'ca.crt' } as const

/** Sluice does not speak to ACM: somebody has to put into a folder what it would have given. */
export function warnOfAcm(path: Path, arn: string, files: (typeof acmFiles)[keyof typeof acmFiles]): Finding {
	const name = arn.slice(arn.lastIndexOf('/') + 1)
	const message = `Sluice does not fetch from ACM: this is read as the secret "${name}"`
	return warningAt(path, 'SL0230', message, `put ${files} into ${name}/ in the certificates directory of the daemon`)
}
