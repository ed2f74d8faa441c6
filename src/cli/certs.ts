import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { systemClock } from '#base/system-clock.ts'
import type { ProxyIdentity } from '#compile/compiled.ts'
import { parseNode } from './bootstrap/bootstrap-flags.ts'
import { makeCertificates } from './certs/development-authority.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type Flags = {
	readonly server?: readonly string[]
	readonly node?: readonly ProxyIdentity[]
	readonly trustDomain: string
	readonly days: number
}

const mostDays = 90

export function addCerts(program: Command, context: VerbContext): void {
	const { terminal } = context
	const command = program
		.command('certs')
		.helpGroup(verbGroups.offline)
		.summary('make certificates for development: an authority, the daemon, proxies')
		.description(
			'Makes an authority in a folder, and certificates by it. A second call adds to what is there; nothing is overwritten. For development: whoever reads ca/ca.key may be any proxy.',
		)
		.argument('<folder>', 'where they go')
		.option('--server <name...>', 'DNS names and IP addresses of the daemon: its certificate is made')
		.option(
			'--node <id...>',
			'virtual nodes and gateways, as mesh/apps/virtualNode/A: one certificate each',
			collectNode,
		)
		.option('--trust-domain <name>', 'first part of their URIs', parseTrustDomain, 'sluice.local')
		.option('--days <number>', `how long they are good, 1 to ${mostDays}`, parseDays, 7)
		.addHelpText('after', afterHelp)
	command.action(async (folder: string, { server = [], node = [], trustDomain, days }: Flags) => {
		if (server.length === 0 && node.length === 0) return command.error('error: nothing to make: say --server or --node')
		const wrong = server.find((name) => !/^[A-Za-z0-9.*-]{1,253}$|^[0-9a-fA-F:]{2,39}$/.test(name))
		if (wrong !== undefined)
			return command.error(`error: --server ${JSON.stringify(wrong)} is no DNS name or IP address`)
		const place = resolve(folder)
		const made = await makeCertificates({
			folder: place,
			serverNames: server,
			identities: node,
			trustDomain,
			days,
			nowMs: systemClock.wallMs(),
		})
		if (!made.ok) return command.error(`error: ${made.error}`)
		for (const each of made.value) terminal.out(each)
		terminal.talk(`note: for development; whoever reads ${join(place, 'ca', 'ca.key')} may be any proxy`)
	})
}

function collectNode(text: string, before: readonly ProxyIdentity[] | undefined): readonly ProxyIdentity[] {
	const identity = parseNode(text)
	// They become folders.
	for (const name of [identity.mesh, identity.name])
		if (/^\.+$/.test(name)) throw new InvalidArgumentError('A name of dots alone is no folder.')
	return [...(before ?? []), identity]
}

function parseTrustDomain(text: string): string {
	if (!/^[a-z0-9._-]{1,255}$/.test(text))
		throw new InvalidArgumentError('It has small letters, digits and . _ - alone.')
	return text
}

function parseDays(text: string): number {
	const days = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0
	if (days < 1 || days > mostDays) throw new InvalidArgumentError(`Write 1 to ${mostDays}.`)
	return days
}

const afterHelp = `
Example:
  sluice certs certs --server localhost 127.0.0.1 --node mesh/apps/virtualNode/serviceA
  sluice run --folder mesh-config --xds-tls certs/server
  cd certs/mesh/apps/virtualNode/serviceA && sluice bootstrap --node mesh/apps/virtualNode/serviceA \\
    --xds-ca $PWD/ca.crt --xds-cert $PWD/tls.crt --xds-key $PWD/tls.key > envoy.yaml`
