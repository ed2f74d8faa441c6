import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { dump } from 'js-yaml'

// How Envoy speaks TLS to the daemon. Certificates and keys are files on the proxy's machine. So that new ones are taken
// up while Envoy runs, they are secrets of two further files, which say where they lie and hold none of them: in the
// bootstrap itself they would be read once.

/** Absolute paths on the proxy's machine. */
export type ControlPlaneTls = {
	/** Authorities of the daemon's certificate. */
	readonly authorities: string
	/** What the proxy shows; null: nothing. */
	readonly own: { readonly chain: string; readonly privateKey: string } | null
	/** The daemon's certificate must be for one of these: a DNS name, an IP address or a URI. */
	readonly serverNames: readonly string[]
	/** Where the two further files are. */
	readonly folder: string
}

const namespace = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3'
const secretNames = { certificate: 'xds-certificate', authorities: 'xds-authorities' } as const
type SecretName = keyof typeof secretNames

export function controlPlaneTransport(tls: ControlPlaneTls): object {
	const [sni] = tls.serverNames.filter((name) => kindOf(name) === 'DNS')
	return {
		name: 'envoy.transport_sockets.tls',
		typed_config: {
			'@type': `${namespace}.UpstreamTlsContext`,
			...(sni === undefined ? {} : { sni }),
			common_tls_context: {
				alpn_protocols: ['h2'],
				// Towards servers Envoy stops at 1.2 by itself.
				tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
				...(tls.own === null ? {} : { tls_certificate_sds_secret_configs: [fromFile(tls, 'certificate')] }),
				combined_validation_context: {
					default_validation_context: { match_typed_subject_alt_names: tls.serverNames.map(matchName) },
					validation_context_sds_secret_config: fromFile(tls, 'authorities'),
				},
			},
		},
	}
}

/** The two files: path → text. The same for the same paths. */
export function controlPlaneSecretFiles(tls: ControlPlaneTls): ReadonlyMap<string, string> {
	const { own, authorities } = tls
	const certificate = own && {
		certificate_chain: { filename: own.chain },
		private_key: { filename: own.privateKey },
		watched_directory: { path: dirname(own.chain) },
	}
	const trusted = { trusted_ca: { filename: authorities }, watched_directory: { path: dirname(authorities) } }
	return new Map([
		...(certificate === null ? [] : [secretFile(tls, 'certificate', { tls_certificate: certificate })]),
		secretFile(tls, 'authorities', { validation_context: trusted }),
	])
}

function secretFile(tls: ControlPlaneTls, name: SecretName, secret: object): [path: string, text: string] {
	const resource = { '@type': `${namespace}.Secret`, name: secretNames[name], ...secret }
	return [pathOf(tls, name), dump({ resources: [resource] }, { lineWidth: -1 })]
}

function fromFile(tls: ControlPlaneTls, name: SecretName): object {
	const source = { path_config_source: { path: pathOf(tls, name) }, resource_api_version: 'V3' }
	return { name: secretNames[name], sds_config: source }
}

function pathOf({ folder }: ControlPlaneTls, name: SecretName): string {
	return join(folder, `${secretNames[name]}.yaml`)
}

function matchName(name: string): object {
	return { san_type: kindOf(name), matcher: { exact: name } }
}

function kindOf(name: string): 'DNS' | 'IP_ADDRESS' | 'URI' {
	if (name.includes('://')) return 'URI'
	return isIP(name) === 0 ? 'DNS' : 'IP_ADDRESS'
}
