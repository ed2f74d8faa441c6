import { join } from 'node:path'
import { dump } from 'js-yaml'

// The token that proves to the daemon who a proxy is. Envoy reads it from a file on the proxy's machine, named by a secret
// of a further file, and puts it into each call: so it stands in no bootstrap, and a new one is taken up while Envoy runs.

/** Absolute paths on the proxy's machine. */
export type ControlPlaneToken = {
	/** Holds the token, and nothing else: no line break either. */
	readonly file: string
	/** Where the further file is. */
	readonly folder: string
}

const secretName = 'xds-token'
const filters = 'type.googleapis.com/envoy.extensions.filters.http'
const injected = 'type.googleapis.com/envoy.extensions.http.injected_credentials'

/** What the cluster of the daemon does with each call. Without the token no call is made. */
export function tokenFilters(token: ControlPlaneToken): readonly object[] {
	const source = { path_config_source: { path: pathOf(token) }, resource_api_version: 'V3' }
	return [
		{
			name: 'envoy.filters.http.credential_injector',
			typed_config: {
				'@type': `${filters}.credential_injector.v3.CredentialInjector`,
				overwrite: true,
				credential: {
					name: 'envoy.http.injected_credentials.generic',
					typed_config: {
						'@type': `${injected}.generic.v3.Generic`,
						header: 'authorization',
						credential: { name: secretName, sds_config: source },
					},
				},
			},
		},
		{
			name: 'envoy.filters.http.upstream_codec',
			typed_config: { '@type': `${filters}.upstream_codec.v3.UpstreamCodec` },
		},
	]
}

/** The further file. It says where the token lies, and holds nothing of it. */
export function tokenSecretFile(token: ControlPlaneToken): readonly [path: string, text: string] {
	const resource = {
		'@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
		name: secretName,
		generic_secret: { secret: { filename: token.file } },
	}
	return [pathOf(token), dump({ resources: [resource] }, { lineWidth: -1 })]
}

function pathOf({ folder }: ControlPlaneToken): string {
	return join(folder, `${secretName}.yaml`)
}
