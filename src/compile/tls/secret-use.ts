// How a TLS context names what it is made of. Envoy never finds a key or a certificate inside a cluster or a listener:
// it asks for it by name (SDS), so that a rotation replaces one small resource and closes no connection.
import { create } from '@bufbuild/protobuf'
import type { Discovered } from '#discovery/discovered.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import {
	type SdsSecretConfig,
	SdsSecretConfigSchema,
} from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts'
import type { CompiledResource, SecretSource } from '../compiled.ts'
import { adsSource } from '../proto/ads-source.ts'
import { sdsSocketSource } from '../proto/sds-socket-source.ts'
import type { SecretUser } from './secret-names.ts'

/** What a TLS context says of a secret. Plain data: what it holds is never a part of what names it. */
export type SecretReference = { readonly from: SecretUse['from']; readonly name: string }

/** A secret that a resource names, and the secret itself. */
export type SecretUse =
	/** Served by us; `resource` is null while what it would hold is not known. */
	| { readonly from: 'ads'; readonly name: string; readonly resource: CompiledResource | null }
	/** Served by an SDS server beside the proxy. */
	| { readonly from: 'socket'; readonly name: string }

/** What decides where a secret comes from, and whether it is known. */
export type SecretContext = {
	readonly secrets: SecretSource
	readonly discovered: Discovered
	readonly user: SecretUser
	/** Its name, or port: the proxy has no other user of that name. */
	readonly owner: string
	/** Who names it: the way from a refused secret back to a line of YAML. */
	readonly madeOf: readonly ResourceId[]
}

/** Names for `references.secrets`: what has to be served before that which names it. */
export function servedSecretNames(uses: readonly SecretReference[]): string[] {
	return uses.filter(({ from }) => from === 'ads').map(({ name }) => name)
}

/** The resources of those that are known. The same secret named twice is there twice. */
export function secretResources(uses: readonly SecretUse[]): CompiledResource[] {
	return uses.flatMap((use) => (use.from === 'ads' && use.resource !== null ? [use.resource] : []))
}

/** Without what it holds: a new certificate under a name changes nothing where it is named. */
export function secretReference({ from, name }: SecretUse): SecretReference {
	return { from, name }
}

/** The part of uses that goes into the key of what names them. */
export function secretUseKey(uses: readonly SecretUse[]): readonly SecretReference[] {
	return uses.map(secretReference)
}

/** `waitMs`: how long what names the secret waits for it, see `secretWaitMs`. */
export function sdsSecretConfig({ from, name }: SecretReference, waitMs: number): SdsSecretConfig {
	const sdsConfig = from === 'ads' ? adsSource(waitMs) : sdsSocketSource(waitMs)
	return create(SdsSecretConfigSchema, { name, sdsConfig })
}

/**
 * How long Envoy keeps what names a secret waiting for it. A listener waits for ever: without its certificate it would
 * fail every handshake, while the one that it replaces goes on. A cluster that waits holds back all later changes of
 * clusters on that proxy, so it gives up: its connections then fail until the secret comes.
 */
export const secretWaitMs: Readonly<Record<SecretUser, number>> = { listener: 0, cluster: 5_000 }
