import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '#base/assert.ts'
import { entryUrl } from '#base/program.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { identityPath, type ProxyIdentity } from '#compile/compiled.ts'
import type { Issued } from './issue-certificate.ts'

// An authority for development, in a folder: FOLDER/ca/{ca.crt,ca.key}, and what it issues as {tls.crt,tls.key,ca.crt},
// the daemon's in FOLDER/server, each proxy's in FOLDER/ and its node's id. It overwrites nothing.

export type CertificatesWanted = {
	readonly folder: string
	/** DNS names and IP addresses of the daemon; none: no certificate for it. */
	readonly serverNames: readonly string[]
	readonly identities: readonly ProxyIdentity[]
	readonly trustDomain: string
	readonly days: number
	readonly nowMs: number
}

const dayMs = 86_400_000
const authorityDays = 90
/** A machine whose clock is late takes a new certificate all the same. */
const clockSlackMs = 300_000
const authorityName = 'Sluice development authority'

type Authority = { readonly files: Issued; readonly untilMs: number }
type Issuing = typeof import('./issue-certificate.ts')

/** Gives the folders that it wrote. Fails with what is in the way, and has written nothing then. */
export async function makeCertificates(wanted: CertificatesWanted): Promise<Result<readonly string[], string>> {
	const { folder, serverNames, identities, trustDomain, days, nowMs } = wanted
	const server = serverNames.length === 0 ? [] : [{ place: 'server', use: 'server', names: serverNames } as const]
	const proxies = identities.map((identity) => {
		const path = identityPath(identity)
		return { place: path, use: 'client', names: [`spiffe://${trustDomain}/${path}`] } as const
	})
	const leaves = [...server, ...proxies]
	for (const { place } of leaves) {
		for (const file of ['tls.crt', 'tls.key', 'ca.crt'].map((name) => join(folder, place, name)))
			if (existsSync(file))
				return fail(`${file} is there already: take ${join(folder, place)} away to have it made anew`)
	}
	// In a bundle of its own: no other command needs it.
	const issuing: Issuing = await import(entryUrl('issue-certificate').href)
	const opened = await openAuthority(join(folder, 'ca'), nowMs, issuing)
	if (!opened.ok) return opened
	const { files: issuer, untilMs } = opened.value
	const validity = { fromMs: nowMs - clockSlackMs, untilMs: Math.min(nowMs + days * dayMs, untilMs) }
	const made: string[] = []
	for (const { place, use, names } of leaves) {
		const commonName = use === 'server' ? 'Sluice' : 'proxy'
		const issued = await issuing.issueCertificate({ commonName, purposes: [use], names, validity, issuer })
		const into = join(folder, place)
		placeFiles(into, { 'tls.crt': issued.certificate, 'tls.key': issued.privateKey, 'ca.crt': issuer.certificate })
		made.push(into)
	}
	return succeed(made)
}

/** The one in the folder, or a new one. */
async function openAuthority(
	folder: string,
	nowMs: number,
	{ issueAuthority }: Issuing,
): Promise<Result<Authority, string>> {
	const files = { certificate: join(folder, 'ca.crt'), privateKey: join(folder, 'ca.key') }
	const there = Object.values(files).filter((file) => existsSync(file))
	if (there.length === 1) return fail(`${there[0]} is there without its other half: take ${folder} away to begin anew`)
	if (there.length === 0) {
		const validity = { fromMs: nowMs - clockSlackMs, untilMs: nowMs + authorityDays * dayMs }
		const made = await issueAuthority(authorityName, validity)
		placeFiles(folder, { 'ca.crt': made.certificate, 'ca.key': made.privateKey })
		return readAuthority(made)
	}
	try {
		const read = readAuthority({
			certificate: readFileSync(files.certificate, 'utf8'),
			privateKey: readFileSync(files.privateKey, 'utf8'),
		})
		if (!read.ok || read.value.untilMs > nowMs) return read
		return fail(`the authority in ${folder} has expired: take the whole folder away to begin anew`)
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
		return fail(`the authority in ${folder} cannot be read (${code})`)
	}
}

function readAuthority(files: Issued): Result<Authority, string> {
	const own = new X509Certificate(files.certificate)
	if (!own.checkPrivateKey(createPrivateKey(files.privateKey))) return fail('ca.key does not belong to ca.crt')
	if (own.subject !== `CN=${authorityName}`) return fail('ca.crt is no authority that this command has made')
	return succeed({ files, untilMs: own.validToDate.getTime() })
}

function placeFiles(folder: string, files: Readonly<Record<string, string>>): void {
	mkdirSync(folder, { recursive: true, mode: 0o700 })
	for (const [name, text] of Object.entries(files)) {
		assert(!name.includes('/'), 'a file of the folder itself')
		const mode = name.endsWith('.key') ? 0o600 : 0o644
		writeFileSync(join(folder, name), text, { flag: 'wx', mode })
	}
}
