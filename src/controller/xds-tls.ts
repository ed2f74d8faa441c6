import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { SecretMaterial, Trouble } from '#discovery/discovered.ts'
import { readSecretTexts } from '#discovery/read-secret-texts.ts'
import { createSecretEntry, takeTexts } from '#discovery/secret-entry.ts'
import { type ServerCertificate, whyUnservable } from '#xds/server-certificate.ts'
import { createRepeatedLook } from './repeated-look.ts'

// The certificate of the xDS port, from FOLDER/{tls.crt,tls.key,ca.crt}: read as certificates for proxies are, so the
// last good one stays and what two looks in a row find alike counts. With ca.crt each proxy is asked for a certificate
// of its own. Whether it is asked is settled when the daemon starts: a file that is gone opens no door.

export type XdsTls = {
	/** The last good one. */
	current(): ServerCertificate
	/** From now on each new one goes here too. */
	follow(secure: (certificate: ServerCertificate) => void): void
	troubles(): readonly Trouble[]
	/** Looks now. Resolves when it has looked. */
	look(): Promise<void>
	close(): Promise<void>
}

export type XdsTlsOptions = {
	readonly folder: string
	/** What becomes of a proxy that has no certificate, where it is asked for one. */
	readonly bareClients: 'refused' | 'taken'
	readonly clock: Clock
	readonly log: Log
}

/** Fails with what is wrong with the folder. */
export async function openXdsTls(options: XdsTlsOptions): Promise<Result<XdsTls, string>> {
	const { folder, bareClients, clock, log } = options
	let asksProxies: boolean | null = null
	const entry = createSecretEntry('xds', {
		subject: 'the certificate of xDS',
		missing: `is not there: ${folder} has neither tls.crt nor tls.key`,
		refusal,
	})
	let follower: Parameters<XdsTls['follow']>[0] = () => undefined

	function refusal(material: SecretMaterial): string | null {
		const { certificate, authorities } = material
		if (certificate === null) return 'has no tls.crt with tls.key'
		if (asksProxies === true && authorities === null)
			return 'has no ca.crt any more, by which proxies are told apart: that needs a restart'
		if (asksProxies === false && authorities !== null)
			return 'has a ca.crt now, and proxies were not asked for certificates so far: that needs a restart'
		return whyUnservable(toServerCertificate(material))
	}

	function current(): ServerCertificate {
		if (entry.good === null) throw new Error('there is none before it is open')
		return { ...toServerCertificate(entry.good.material), bareClients }
	}

	async function lookOnce(isOpen: () => boolean): Promise<number> {
		const outcome = takeTexts(entry, await readSecretTexts(folder), { log, wallMs: clock.wallMs() })
		if (outcome === 'changed' && isOpen()) follower(current())
		return outcome === 'unsure' ? limits.secretQuietMs : limits.secretPollMs
	}

	// What is found first is taken at once: there is nothing good that it could replace too early.
	const texts = await readSecretTexts(folder)
	for (const _ of ['seen', 'taken']) takeTexts(entry, texts, { log, wallMs: clock.wallMs() })
	if (entry.good === null) return fail(`${folder} ${entry.trouble?.message ?? ''}`)
	asksProxies = entry.good.material.authorities !== null
	const { look, close } = createRepeatedLook({ clock, firstMs: limits.secretPollMs, lookOnce })
	await look()
	return succeed({
		current,
		follow(secure) {
			follower = secure
		},
		troubles: () => (entry.trouble === null ? [] : [entry.trouble]),
		look,
		close,
	})
}

function toServerCertificate({ certificate, authorities }: SecretMaterial): ServerCertificate {
	return {
		chain: certificate?.chain ?? '',
		privateKey: certificate?.privateKey ?? '',
		clientAuthorities: authorities,
	}
}
