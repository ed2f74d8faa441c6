import { errorAt, type Finding, type Path } from './finding.ts'

const arn = /^arn:[^/]*:mesh\/(?<mesh>[^/@]+)(?:@[0-9]+)?\/virtualService\/(?<name>.+)$/

/** The name of a virtual service that is written by its name or by its ARN. */
export function virtualServiceName(written: string): string {
	return arn.exec(written)?.groups?.name ?? written
}

/** A service is of the mesh of the one that calls it: an ARN must not name another. Region, account and owner are not looked at. */
export function checkVirtualServiceName(path: Path, written: string, mesh: string): readonly Finding[] {
	const named = arn.exec(written)?.groups?.mesh
	if (named === undefined || named === mesh) return []
	const message = `the ARN is of a virtual service in the mesh "${named}", and this resource is in the mesh "${mesh}"`
	return [errorAt(path, 'SL0218', message, 'only virtual services of its own mesh can be called')]
}
