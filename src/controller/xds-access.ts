import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { isLoopback } from '#base/loopback.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { EngineName } from '#base/xds-engine-name.ts'
import type { IdentityProof } from '#xds/admission.ts'
import { parseIdentityPatterns } from '#xds/identity-pattern.ts'
import type { IdentityTokens } from '#xds/identity-tokens.ts'
import type { ServerCertificate } from '#xds/server-certificate.ts'
import { openXdsTls, type XdsTls } from './xds-tls.ts'
import { openXdsTokens } from './xds-tokens.ts'

// How the xDS port is reached, and what proves who a proxy is. `node.id` alone proves nothing, so beyond loopback that
// must be asked for.

export type XdsSettings = {
	/** `host:port`. */
	readonly address: string
	readonly identity: 'loopbackOnly' | 'unproven'
	/** What speaks HTTP/2 and gRPC; not there: what the server takes by itself. */
	readonly engine?: EngineName
	/**
	 * Folder of the port's certificate, and how a proxy's name stands in the URI of its own. Not there: the port is plain.
	 */
	readonly tls?: { readonly folder: string; readonly identities: string }
	/** File that says whose token is whose, and whether they may come over a plain port on loopback. */
	readonly tokens?: { readonly file: string; readonly plain: 'refused' | 'onLoopback' }
}

export type XdsAccess = Omit<XdsTls, 'current'> & {
	readonly proof: IdentityProof
	/** Null: without TLS. The last good one, whenever it is asked for. */
	certificate(): ServerCertificate | null
}

type Ports = { readonly clock: Clock; readonly log: Log }

/** Fails with what is wrong with the settings or the files. */
export async function openXdsAccess(settings: XdsSettings, ports: Ports): Promise<Result<XdsAccess, string>> {
	const port = await openPort(settings, ports)
	if (!port.ok) return port
	const proved = await prove(port.value, settings, ports)
	if (!proved.ok) await port.value.close()
	return proved
}

/** The port by itself: with certificates it proves whom they are for, where it asks proxies for theirs. */
async function openPort({ tls, tokens }: XdsSettings, ports: Ports): Promise<Result<XdsAccess, string>> {
	if (tls === undefined) return succeed(plain)
	const patterns = parseIdentityPatterns(tls.identities)
	if (!patterns.ok) return fail(`xds-identities: ${patterns.error}`)
	const opened = await openXdsTls({
		folder: tls.folder,
		bareClients: tokens === undefined ? 'refused' : 'taken',
		...ports,
	})
	if (!opened.ok) return fail(`xds-tls: ${opened.error}`)
	const { current, ...rest } = opened.value
	const isProven = current().clientAuthorities !== null
	const proof: IdentityProof = isProven ? { kind: 'certificate', patterns: patterns.value } : plain.proof
	return succeed({ ...rest, proof, certificate: current })
}

async function prove(port: XdsAccess, settings: XdsSettings, ports: Ports): Promise<Result<XdsAccess, string>> {
	const { address, identity, tokens } = settings
	const isLocal = isLoopback(address.replace(/:\d+$/, ''))
	if (tokens !== undefined) {
		const problem = whyNoTokens(port, { isLocal, plain: tokens.plain })
		return problem === null ? withTokens(port, tokens.file, ports) : fail(`xds-tokens: ${problem}`)
	}
	if (port.proof.kind !== 'none') return succeed(port)
	if (identity === 'loopbackOnly') return isLocal ? succeed(port) : fail(whyProven(address))
	ports.log.warn('xds.unproven', {
		message: 'nothing proves who a proxy is: whoever reaches the port is served as whom it says',
	})
	return succeed(port)
}

type Circumstances = { readonly isLocal: boolean; readonly plain: 'refused' | 'onLoopback' }

function whyNoTokens(port: XdsAccess, { isLocal, plain }: Circumstances): string | null {
	if (port.certificate() !== null || (isLocal && plain === 'onLoopback')) return null
	const way = isLocal ? ', or --xds-tokens-plain yes' : ''
	return `without TLS whoever reads along has the tokens: give the port a certificate by --xds-tls${way}`
}

async function withTokens(port: XdsAccess, file: string, ports: Ports): Promise<Result<XdsAccess, string>> {
	const opened = await openXdsTokens({ file, ...ports })
	if (!opened.ok) return fail(`xds-tokens: the file of tokens ${opened.error}`)
	const tokens = opened.value
	if (port.certificate() === null)
		ports.log.warn('xds.tokens.plain', { message: 'tokens come without TLS: whoever reads along has them' })
	return succeed({
		...port,
		proof: withTokenProof(port.proof, tokens.current),
		troubles: () => [...port.troubles(), ...tokens.troubles()],
		async look() {
			await Promise.all([port.look(), tokens.look()])
		},
		async close() {
			await Promise.all([port.close(), tokens.close()])
		},
	})
}

function withTokenProof(proof: IdentityProof, tokens: () => IdentityTokens): IdentityProof {
	return proof.kind === 'certificate'
		? { kind: 'certificateOrToken', patterns: proof.patterns, tokens }
		: { kind: 'token', tokens }
}

const plain: XdsAccess = {
	proof: { kind: 'none' },
	certificate: () => null,
	follow: () => undefined,
	troubles: () => [],
	look: async () => undefined,
	close: async () => undefined,
}

function whyProven(address: string): string {
	return `xDS on ${address} would serve anybody who names a node: give it a folder with a ca.crt by --xds-tls, or tokens by --xds-tokens, use a loopback address, or say --xds-unproven yes if only your proxies can reach it`
}
