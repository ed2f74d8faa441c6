import { compareText } from '#base/diagnostic.ts'
import { acmSecretName } from '#compile/tls/secret-names.ts'
import { type CloudMapQuery, cloudMapKey, type Wanted } from '#discovery/discovered.ts'
import type { Resource } from '#mesh/mesh.ts'
import type { Certificate, ClientTls, ListenerTls, TlsValidation } from '#mesh/proxy-spec.ts'

/**
 * Everything that a mesh names and discovery is to find: Cloud Map queries and secrets, each once, sorted. Secrets that
 * a proxy reads from its own files are none of them.
 */
export function wantedOf(resources: Iterable<Resource>): Wanted {
	const queries = new Map<string, CloudMapQuery>()
	const secrets = new Set<string>()
	for (const resource of resources) {
		if (resource.kind === 'VirtualNode') {
			const { serviceDiscovery, listeners, backends } = resource.spec
			if (serviceDiscovery?.kind === 'awsCloudMap') queries.set(cloudMapKey(serviceDiscovery), serviceDiscovery)
			for (const { tls } of listeners) addAll(secrets, secretsOfListener(tls))
			for (const { clientTls } of backends) addAll(secrets, secretsOfClient(clientTls))
		} else if (resource.kind === 'VirtualGateway') {
			for (const { tls } of resource.spec.listeners) addAll(secrets, secretsOfListener(tls))
			addAll(secrets, secretsOfClient(resource.spec.clientTls))
		}
	}
	const inOrder = [...queries].sort(([left], [right]) => compareText(left, right))
	return { queries: inOrder.map(([, query]) => query), secrets: [...secrets].sort(compareText) }
}

function secretsOfListener(tls: ListenerTls | null): string[] {
	return tls === null ? [] : [...secretsOfCertificate(tls.certificate), ...secretsOfValidation(tls.validation)]
}

function secretsOfClient(tls: ClientTls | null): string[] {
	return tls === null ? [] : [...secretsOfCertificate(tls.certificate), ...secretsOfValidation(tls.validation)]
}

function secretsOfCertificate(certificate: Certificate | null): string[] {
	switch (certificate?.kind) {
		case 'sds':
			return [certificate.secretName]
		case 'acm':
			return [acmSecretName(certificate.certificateArn)]
		case 'file':
		case undefined:
			return []
	}
}

function secretsOfValidation(validation: TlsValidation | null): string[] {
	switch (validation?.trust.kind) {
		case 'sds':
			return [validation.trust.secretName]
		case 'acm':
			return validation.trust.certificateAuthorityArns.map(acmSecretName)
		case 'file':
		case undefined:
			return []
	}
}

function addAll(to: Set<string>, names: readonly string[]): void {
	for (const name of names) to.add(name)
}
