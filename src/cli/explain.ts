import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ExplanationAnswer } from '#api/api.ts'
import type { Capture, ProxyIdentity } from '#compile/compiled.ts'
import type { OfflineExplanation, OfflineQuestion } from '#controller/explain-offline.ts'
import { type Explained, type Header, isTaken } from '#explain/explained.ts'
import { parseNode } from './bootstrap/bootstrap-flags.ts'
import { sayFailure, withDaemon } from './daemon-call.ts'
import { addSettingFlags, type SettingFlags } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { renderExplained } from './explain-text.ts'
import { countFindings, renderFindings } from './offline-output.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type ExplainFlags = SettingFlags & {
	readonly header: readonly Header[]
	readonly node?: ProxyIdentity
	readonly proxy?: string
	readonly path: string
	readonly commit?: string
	readonly capture: Capture['mode']
	readonly output: 'text' | 'json'
}

type Asked = { readonly method: string; readonly url: string; readonly flags: ExplainFlags }

export function addExplain(program: Command, context: VerbContext): void {
	const command = program
		.command('explain')
		.helpGroup(verbGroups.offline)
		.summary('say which route takes a request, and why')
		.description(
			"Sends a request through a proxy's configuration, in thought: which listener, host and route take it, why the others do not, and where it goes.",
		)
		.argument('<method>', 'GET, POST, …')
		.argument('<url>', 'as the client writes it: http://HOST[:PORT]/PATH')
		.option('-H, --header <line>', "a header, as 'name: value'; may come several times", collectHeader, [])
		.option('--node <id>', 'whose proxy: mesh/M/virtualNode/N or mesh/M/virtualGateway/N', parseNode)
		.option('--path <folder>', 'folder that holds the mesh', '.')
		.option('--commit <ref>', 'the folder as it is in a commit')
		.addOption(
			new Option('--capture <mode>', "how traffic gets into a node's proxy")
				.choices(['intercept', 'explicit'])
				.default('intercept'),
		)
		.option('--proxy <key>', 'a connected proxy, by what it has ACKed: asks the daemon instead of the folder')
		.addOption(new Option('-o, --output <form>', 'how to say it').choices(['text', 'json']).default('text'))
		.option('--json', 'the same as -o json')
		.addHelpText(
			'after',
			`
Exit codes: 0 it is taken, 6 nothing takes it, 1 there is no such node or proxy, 3 the mesh is refused, 65 it cannot be
read, 69 no daemon.

Examples:
  sluice explain GET http://serviceb.apps.local/ --node mesh/apps/virtualNode/serviceA
  sluice explain POST http://shop.example/cart -H 'x-beta: 1' --node mesh/apps/virtualGateway/edge --commit HEAD~1
  sluice explain GET http://serviceb.apps.local/ --proxy 'mesh/apps/virtualNode/serviceA#host-1'`,
		)
	addSettingFlags(command, ['http']).action(
		async (method: string, url: string, flags: ExplainFlags & { json?: true }) => {
			const asked = { method, url, flags: flags.json === true ? { ...flags, output: 'json' as const } : flags }
			return explain(asked, context)
		},
	)
}

async function explain(asked: Asked, context: VerbContext): Promise<void> {
	const { node, proxy } = asked.flags
	if ((node === undefined) === (proxy === undefined)) {
		return context.end(
			sayFailure({ exit: 'usage', message: 'say whose proxy is asked: --node ID, or --proxy KEY' }, context),
		)
	}
	if (proxy !== undefined) return askProxy(asked, proxy, context)
	if (node !== undefined) context.end(await askFolder(asked, node, context))
}

async function askFolder({ method, url, flags }: Asked, identity: ProxyIdentity, context: VerbContext): Promise<Exit> {
	const { path, commit = null, capture, header: headers } = flags
	const { explainOffline } = await import('#controller/explain-offline.ts')
	const question: OfflineQuestion = { path, commit, identity, capture, method, url, headers }
	const outcome = await explainOffline(question)
	if (outcome.kind === 'explained') return sayExplained(outcome.explained, null, { flags, context })
	return sayWhyNot(outcome, { flags, context })
}

type Saying = { readonly flags: ExplainFlags; readonly context: VerbContext }

function sayWhyNot(outcome: Exclude<OfflineExplanation, { kind: 'explained' }>, { flags, context }: Saying): Exit {
	const { terminal } = context
	switch (outcome.kind) {
		case 'unreadable':
			return sayFailure({ exit: 'badInput', message: outcome.message }, context)
		case 'mistaken':
			return sayFailure({ exit: 'failed', message: outcome.message }, context)
		case 'refused':
			terminal.talk(renderFindings(outcome.diagnostics, { folder: flags.path, form: 'text', terminal }))
			terminal.talk(`\n${toPrintable(outcome.name)} is no valid mesh: ${countFindings(outcome.diagnostics)}`)
			return 'findings'
	}
}

async function askProxy({ method, url, flags }: Asked, proxy: string, context: VerbContext): Promise<void> {
	const query = new URLSearchParams([
		['method', method],
		['url', url],
		...flags.header.map(({ name, value }): [string, string] => ['header', `${name}:${value}`]),
	])
	await withDaemon(flags, context, async (client) => {
		const answer = await client.get<ExplanationAnswer>(`/api/v1/proxies/${encodeURIComponent(proxy)}/explain?${query}`)
		if (!answer.ok) return sayFailure(answer.error, context)
		return sayExplained(answer.value.explained, answer.value.key, { flags, context })
	})
}

/** `proxy`: whose ACKed configuration it is; null: it is worked out from what is written. */
function sayExplained(explained: Explained, proxy: string | null, { flags, context: { terminal } }: Saying): Exit {
	const folder = proxy === null ? flags.path : ''
	terminal.out(
		flags.output === 'json'
			? toPrintableJson({ apiVersion: 'sluice/v1', kind: 'Explanation', key: proxy, explained })
			: renderExplained(explained, { asked: proxy, folder, color: terminal.color.out }),
	)
	return isTaken(explained.outcome) ? 'ok' : 'notTaken'
}

function collectHeader(line: string, before: readonly Header[]): readonly Header[] {
	const at = line.indexOf(':')
	if (at < 1) throw new InvalidArgumentError("Write 'name: value'.")
	return [...before, { name: line.slice(0, at).trim(), value: line.slice(at + 1).trim() }]
}
