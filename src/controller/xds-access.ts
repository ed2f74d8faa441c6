import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { isLoopback } from '#base/loopback.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { IdentityProof } from '#xds/admission.ts'
import { parseIdentityPatterns } from '#xds/identity-pattern.ts'
import type { ServerCertificate } from '#xds/server-certificate.ts'
import { openXdsTls, type XdsTls } from './xds-tls.ts'

// How the xDS port is reached, and what proves who a proxy is. `node.id` alone proves nothing, so beyond loopback that
// must be asked for.

export type XdsSettings = {
	/** `host:port`. */
	readonly address: string
	readonly identity: 'loopbackOnly' | 'unproven'
	/**
	 * Folder of the port's certificate, and how a proxy's name stands in the URI of its own. Not there: the port is plain.
	 */
	readonly tls?: { readonly folder: string; readonly identities: string }
}

export type XdsAccess = Omit<XdsTls, 'current'> & {
	readonly proof: IdentityProof
	/** Null: without TLS. The last good one, whenever it is asked for. */
	certificate(): ServerCertificate | null
}

/** Fails with what is wrong with the settings or the files. */
export async function openXdsAccess(
	{ address, identity, tls }: XdsSettings,
	{ clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Result<XdsAccess, string>> {
	if (tls === undefined) return isAllowedPlain() ? succeed(plain) : fail(whyProven(address))
	const patterns = parseIdentityPatterns(tls.identities)
	if (!patterns.ok) return fail(`xds-identities: ${patterns.error}`)
	const opened = await openXdsTls({ folder: tls.folder, clock, log })
	if (!opened.ok) return fail(`xds-tls: ${opened.error}`)
	const { current, follow, troubles, look, close } = opened.value
	const isProven = current().clientAuthorities !== null
	if (!isProven && !isAllowedPlain()) {
		await close()
		return fail(whyProven(address))
	}
	const proof: IdentityProof = isProven ? { kind: 'certificate', patterns: patterns.value } : plain.proof
	return succeed({ proof, certificate: current, follow, troubles, look, close })

	function isAllowedPlain(): boolean {
		if (identity === 'loopbackOnly') return isLoopback(address.replace(/:\d+$/, ''))
		log.warn('xds.unproven', {
			message: 'nothing proves who a proxy is: whoever reaches the port is served as whom it says',
		})
		return true
	}
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
	return `xDS on ${address} would serve anybody who names a node: give it a folder with a ca.crt by --xds-tls, use a loopback address, or say --xds-unproven yes if only your proxies can reach it`
}
