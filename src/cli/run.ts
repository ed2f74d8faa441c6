import { type Command, Option } from 'commander'
import type { ApiAddress } from '#api/api.ts'
import { assert } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import type { EngineName } from '#base/xds-engine-name.ts'
import type { Daemon, DaemonSettings, StartFailure } from '#controller/daemon.ts'
import { addSettingFlags, type SettingFlags, settingsOf } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { parseHostPort } from './parse-address.ts'
import { parseDuration } from './parse-duration.ts'
import { createPinoLog, type LogFormat, type LogLevel } from './pino-log.ts'
import { toPrintable } from './printable.ts'
import { renderSettings, type SettingName, type Settings, settingTable, valueOf } from './settings.ts'
import { untilTold } from './signals.ts'
import { type VerbContext, verbGroups } from './verb.ts'

export function addRun(program: Command, context: VerbContext): void {
	const command = program
		.command('run')
		.helpGroup(verbGroups.daemon)
		.summary('start the daemon: follow a branch or a folder, serve Envoys')
		.description('Serves what it last decided at once, then follows the source. Say --repo or --folder.')
	addSettingFlags(
		command,
		settingTable.map(({ name }) => name),
	)
	command
		.addOption(new Option('--print-config', 'print every setting and where it comes from, and end'))
		.addHelpText('after', afterHelp)
		.action(async (flags: SettingFlags & { printConfig?: true }) => context.end(await run(flags, context)))
}

const afterHelp = `
Each setting is also a variable (--log-format: SLUICE_LOG_FORMAT) and a key of sluice.yaml (log-format: json).
A flag comes before a variable, that before the file, that before the default.
Signals: SIGTERM or SIGINT stops in good order, a second one at once; SIGHUP looks at the source now.`

async function run(flags: SettingFlags & { printConfig?: true }, context: VerbContext): Promise<Exit> {
	const { terminal } = context
	const settings = settingsOf(flags, context)
	if (!settings.ok) return sayAll(settings.error, context)
	if (flags.printConfig === true) {
		terminal.out(toPrintableLines(renderSettings(settings.value)))
		return 'ok'
	}
	const wanted = daemonSettingsOf(settings.value)
	if (!wanted.ok) return sayAll([wanted.error], context)
	const log = createPinoLog({
		format: valueOf(settings.value, 'log-format') as LogFormat,
		level: valueOf(settings.value, 'log-level') as LogLevel,
		// Written at once: the last line before a crash is the one that is needed.
		write: (line) => void process.stderr.write(line),
	})
	const started = await start(wanted.value, { log, version: context.version })
	if (!started.ok) {
		terminal.talk(`sluice: ${toPrintable(started.error.message)}`)
		return started.error.code === 'settings' ? 'usage' : 'failed'
	}
	return serve(started.value, log)
}

function sayAll(problems: readonly string[], { terminal }: VerbContext): Exit {
	for (const problem of problems) terminal.talk(`sluice: ${toPrintable(problem)}`)
	return 'usage'
}

type Wanted = { readonly daemon: DaemonSettings; readonly api: ApiAddress }

function daemonSettingsOf(settings: Settings): Result<Wanted, string> {
	const source = sourceOf(settings)
	if (!source.ok) return source
	const http = parseHostPort(valueOf(settings, 'http'))
	assert(http.ok, 'settings are checked before they are used')
	const folder = settings['xds-tls']?.value
	const identities = settings['xds-identities']
	if (folder === undefined && identities !== null && identities.from !== 'default')
		return fail(`${identities.from}: xds-identities is about certificates, and xds-tls is not said`)
	const isYes = (name: SettingName) => ['yes', 'true'].includes(valueOf(settings, name))
	const tokens = settings['xds-tokens']?.value
	return succeed({
		daemon: {
			source: source.value,
			stateDirectory: valueOf(settings, 'state'),
			certificates: settings.certificates?.value ?? null,
			scrape: settings.scrape?.value ?? null,
			metrics: {
				sources: settings['metric-sources']?.value ?? '',
				credentials: settings['metric-credentials']?.value ?? null,
			},
			hooks: {
				receivers: settings['hook-receivers']?.value ?? '',
				secrets: settings['hook-secrets']?.value ?? null,
			},
			xds: {
				address: valueOf(settings, 'xds'),
				identity: isYes('xds-unproven') ? 'unproven' : 'loopbackOnly',
				engine: valueOf(settings, 'xds-engine') as EngineName,
				...(folder === undefined ? {} : { tls: { folder, identities: identities?.value ?? '' } }),
				...(tokens === undefined
					? {}
					: { tokens: { file: tokens, plain: isYes('xds-tokens-plain') ? 'onLoopback' : 'refused' } }),
			},
		},
		api: { host: http.value.address, port: http.value.port },
	})
}

/** A repository or a folder: whichever was said in the stronger place. */
function sourceOf(settings: Settings): Result<DaemonSettings['source'], string> {
	const { repo, folder } = settings
	if (repo === null && folder === null) return fail('nothing to serve: say --repo URL or --folder PATH')
	if (repo !== null && folder !== null && repo.rank === folder.rank) {
		return fail(`both a repository (${repo.from}) and a folder (${folder.from}) are given: say one`)
	}
	if (folder !== null && (repo === null || folder.rank < repo.rank))
		return succeed({ kind: 'folder', folder: folder.value })
	const poll = parseDuration(valueOf(settings, 'poll'))
	assert(poll.ok, 'settings are checked before they are used')
	const url = repo?.value ?? ''
	return succeed({
		kind: 'git',
		url,
		branch: valueOf(settings, 'branch'),
		path: valueOf(settings, 'path'),
		pollMs: poll.value,
	})
}

async function start(
	{ daemon, api }: Wanted,
	{ log, version }: { log: Log; version: string },
): Promise<Result<Daemon, StartFailure>> {
	// Only this verb needs all of it: the others begin without.
	const [{ startDaemon }, { openApi }] = await Promise.all([import('#controller/daemon.ts'), import('#api/api.ts')])
	return startDaemon(daemon, {
		log,
		clock: systemClock,
		random: Math.random,
		openFace: (face) => openApi({ address: api, face, clock: systemClock, log, version }),
	})
}

async function serve(daemon: Daemon, log: Log): Promise<Exit> {
	// Nothing catches it: the process ends with 1, and the store is what it starts from again.
	process.on('uncaughtExceptionMonitor', (error) =>
		log.error('daemon.crashed', { message: error.stack ?? error.message }),
	)
	const told = untilTold({
		onHangUp() {
			log.info('daemon.poll', { reason: 'SIGHUP' })
			void daemon.poll()
		},
	})
	// Said when signals are heard: whoever reads this may send one.
	const { xds, api } = daemon.addresses
	log.info('daemon.started', { xds, api: `http://${api}`, pid: process.pid })
	const end = await Promise.race([told.stop, daemon.failed])
	if (end instanceof Error) {
		log.error('daemon.failed', { message: end.stack ?? end.message })
		return 'failed'
	}
	log.info('daemon.stopping', { reason: end })
	const deadline = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), limits.stopMs).unref())
	const stopped = await Promise.race([daemon.stop(), told.again, deadline])
	log.info('daemon.stopped', { how: stopped === undefined ? 'in good order' : 'at once' })
	return 'ok'
}

function toPrintableLines(text: string): string {
	return text.split('\n').map(toPrintable).join('\n')
}
