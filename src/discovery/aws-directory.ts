import { DiscoverInstancesCommand, ServiceDiscoveryClient } from '@aws-sdk/client-servicediscovery'
import { limits } from '#base/limits.ts'
import type { CloudMapQuery } from './discovered.ts'
import type { DirectoryAnswer, InstanceDirectory } from './instance-directory.ts'

// AWS Cloud Map by AWS's own client, in a bundle of its own. Region, credentials and another endpoint come by the client's
// usual chain (variables, profile, task or instance role).

const absent: ReadonlySet<string> = new Set(['NamespaceNotFound', 'ServiceNotFound'])
const denied: ReadonlySet<string> = new Set([
	'AccessDenied',
	'AccessDeniedException',
	'CredentialsProviderError',
	'ExpiredToken',
	'ExpiredTokenException',
	'IncompleteSignature',
	'InvalidClientTokenId',
	'InvalidSignatureException',
	'MissingAuthenticationToken',
	'SignatureDoesNotMatch',
	'UnrecognizedClientException',
])

/** No revision is asked for before the instances: it does not change with their health. */
export function createAwsDirectory(environment: Readonly<NodeJS.ProcessEnv> = process.env): InstanceDirectory {
	// AWS puts `data-` before its own host names for this call. A named endpoint is to be called as it is named.
	const isNamed = Boolean(environment.AWS_ENDPOINT_URL || environment.AWS_ENDPOINT_URL_SERVICEDISCOVERY)
	const client = new ServiceDiscoveryClient({ maxAttempts: 1, disableHostPrefix: isNamed })
	return {
		async discover(query, signal) {
			try {
				const { Instances = [] } = await client.send(commandOf(query), { abortSignal: signal })
				return { kind: 'instances', instances: Instances.map((instance) => instance.Attributes ?? {}) }
			} catch (error) {
				return failureOf(error)
			}
		},
	}
}

function commandOf({ namespaceName, serviceName, attributes }: CloudMapQuery): DiscoverInstancesCommand {
	return new DiscoverInstancesCommand({
		NamespaceName: namespaceName,
		ServiceName: serviceName,
		HealthStatus: 'HEALTHY_OR_ELSE_ALL',
		MaxResults: limits.cloudMapInstances,
		...(attributes.length === 0
			? {}
			: { QueryParameters: Object.fromEntries(attributes.map(({ key, value }) => [key, value])) }),
	})
}

/** Names only: AWS's texts may quote what was signed, a session token among it. */
function failureOf(error: unknown): DirectoryAnswer {
	const { name, code } = namesOf(error)
	if (absent.has(name)) return { kind: 'failed', reason: 'absent', name }
	if (denied.has(name)) return { kind: 'failed', reason: 'denied', name }
	if (error instanceof Error && /^Region is missing/.test(error.message))
		return { kind: 'failed', reason: 'denied', name: 'no region: set AWS_REGION' }
	return { kind: 'failed', reason: 'unreachable', name: code ?? name }
}

function namesOf(error: unknown): { readonly name: string; readonly code: string | null } {
	if (!(error instanceof Error)) return { name: 'unknown failure', code: null }
	const code = 'code' in error && typeof error.code === 'string' ? error.code : null
	return { name: error.name, code }
}
