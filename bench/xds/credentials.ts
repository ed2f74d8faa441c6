import { createAuthority, type Issued } from '../../test/fixtures/certificates.ts'
import { type Identity, identityNames, nodeId } from './identity.ts'

/** What the server and the proxies of each identity show each other; all by one authority. */
export type Credentials = {
	readonly authority: string
	readonly ofServer: Issued
	readonly ofProxies: Readonly<Record<Identity, Issued>>
}

/** In the server's certificate. */
export const serverName = 'xds.bench.local'
/** Reads whom a proxy's certificate is for. */
export const uriPattern = 'spiffe://bench/mesh/{mesh}/{kind}/{name}'

export async function issueCredentials(): Promise<Credentials> {
	const authority = await createAuthority('bench')
	const issued = identityNames.map(async (identity) => {
		const names = [`spiffe://bench/${nodeId(identity)}`]
		return [identity, await authority.issue({ names })] as const
	})
	return {
		authority: authority.certificate,
		ofServer: await authority.issue({ names: [serverName] }),
		ofProxies: Object.fromEntries(await Promise.all(issued)) as Record<Identity, Issued>,
	}
}
