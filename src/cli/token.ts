import type { Command } from 'commander'
import { sha256Hex } from '#base/hash.ts'
import { identityPath, type ProxyIdentity } from '#compile/compiled.ts'
import { parseNode } from './bootstrap/bootstrap-flags.ts'
import { readOrMakeToken } from './token/token-file.ts'
import { type VerbContext, verbGroups } from './verb.ts'

export function addToken(program: Command, { terminal }: VerbContext): void {
	const command = program
		.command('token')
		.helpGroup(verbGroups.offline)
		.summary("make a proxy's token, and print the daemon's line about it")
		.description(
			"Makes a token in a file, or takes the one that is there, and prints the line for --xds-tokens that says whose it is. The line holds the token's hash, which tells nobody the token.",
		)
		.argument('<file>', 'where the token is; made if it is not there')
		.requiredOption('--node <id>', 'virtual node or gateway, as mesh/apps/virtualNode/A', parseNode)
		.addHelpText('after', afterHelp)
	command.action(async (file: string, { node }: { readonly node: ProxyIdentity }) => {
		const token = await readOrMakeToken(file)
		if (!token.ok) return command.error(`error: ${file} ${token.error}`)
		terminal.out(`${identityPath(node)} sha256:${sha256Hex(token.value)}`)
	})
}

const afterHelp = `
Example:
  sluice token serviceA.token --node mesh/apps/virtualNode/serviceA >> tokens
  sluice run --folder mesh-config --xds-tls certs/server --xds-tokens tokens
  sluice bootstrap --node mesh/apps/virtualNode/serviceA \\
    --xds-ca $PWD/certs/server/ca.crt --xds-token $PWD/serviceA.token > envoy.yaml`
