// Names of the secrets that are served over ADS. A certificate and a trust may be written under the same name, so each
// role has its own. So have clusters and listeners, since they wait for different times: to Envoy the same name with
// another wait is another watcher, and for a name that it has asked for already it does not ask again. That watcher
// would hear nothing until the secret changes. What the proxy reads from its own files is named after what uses it, not after the files: we cannot
// know whether they are there. Where they are not, Envoy refuses the secret and goes on with the one it has under that
// name; under a new name it would have none, and every handshake would fail.

/** What names a secret. Each has a wait of its own, see `secretWaitMs`. */
export type SecretUser = 'cluster' | 'listener'

export function certificateSecretName(user: SecretUser, secretName: string): string {
	return `${user}_certificate/${part(secretName)}`
}

/** Several: the authorities of all of them together. */
export function trustSecretName(user: SecretUser, secretNames: readonly string[]): string {
	return `${user}_trust/${secretNames.map(part).join(',')}`
}

export function certificateFilesName(owner: string): string {
	return `file_certificate/${owner}`
}

export function trustFileName(owner: string): string {
	return `file_trust/${owner}`
}

/** The secret that stands for something of ACM: the last part of its ARN. */
export function acmSecretName(arn: string): string {
	return arn.slice(arn.lastIndexOf('/') + 1)
}

/** No two lists of parts have the same name. */
function part(text: string): string {
	return text.replaceAll('%', '%25').replaceAll(',', '%2C')
}
