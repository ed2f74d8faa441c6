import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type Machine, partsFolder, thisMachine } from './machine.ts'
import type { PartError } from './parts.ts'
import { lastLine, runCommand } from './run-command.ts'

export type PrometheusBinary = { readonly path: string }

export type FindPrometheusOptions = {
	/** Gets one line before anything is fetched. Silent by default. */
	readonly onProgress?: (line: string) => void
	readonly machine?: Machine
}

const wayOut = 'or set PROMETHEUS_BIN to a Prometheus you have'

/**
 * A Prometheus that runs here: `PROMETHEUS_BIN`, then `prometheus` on the `PATH`, then the cache, then Debian's package.
 * It is downloaded and unpacked, not installed: that needs no root and changes nothing but the cache.
 */
export async function findPrometheus(
	options: FindPrometheusOptions = {},
): Promise<Result<PrometheusBinary, PartError>> {
	const { machine = thisMachine(), onProgress = () => undefined } = options
	const named = machine.environment.PROMETHEUS_BIN
	if (named) {
		if (await runs(named, machine)) return succeed({ path: named })
		return fail({ code: 'unusable', message: `PROMETHEUS_BIN=${named} does not run: correct or unset it` })
	}
	if (await runs('prometheus', machine)) return succeed({ path: 'prometheus' })
	const path = join(partsFolder(machine.environment), 'prometheus', 'prometheus')
	if (await runs(path, machine)) return succeed({ path })
	onProgress(`fetching Prometheus (20 MB, by apt-get) into ${path}`)
	return await fetchInto(path, machine)
}

async function fetchInto(path: string, machine: Machine): Promise<Result<PrometheusBinary, PartError>> {
	const folder = join(path, '..')
	let work: string
	try {
		await mkdir(folder, { recursive: true })
		work = await mkdtemp(join(folder, '.fetch-'))
	} catch {
		return fail({ code: 'cache-not-writable', message: `cannot write to ${folder}: set SLUICE_CACHE to a folder` })
	}
	try {
		const downloaded = await download(work, machine)
		if (!downloaded.ok) return downloaded
		const unpacked = await run(['dpkg', '-x', downloaded.value, join(work, 'root')], { work, machine })
		if (!unpacked.ok) return unpacked
		await rename(join(work, 'root/usr/bin/prometheus'), path).catch(async (error: unknown) => {
			// Somebody else was quicker.
			if (!(await exists(path))) throw error
		})
		return (await runs(path, machine))
			? succeed({ path })
			: fail({ code: 'unusable', message: `${path} does not run here: set PROMETHEUS_BIN to a Prometheus that does` })
	} finally {
		await rm(work, { recursive: true, force: true })
	}
}

/** With the machine's package lists, else with lists of its own: a fresh machine may have none, and only root may bring them. */
async function download(work: string, machine: Machine): Promise<Result<string, PartError>> {
	const place = { work, machine }
	const own = ['-o', `Dir::State::Lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${join(work, 'cache')}`]
	let fetched = await run(['apt-get', 'download', '-q', 'prometheus'], place)
	if (!fetched.ok && fetched.error.code === 'fetch-failed') {
		await Promise.all(
			['lists/partial', 'cache/archives/partial'].map((name) => mkdir(join(work, name), { recursive: true })),
		)
		const updated = await run(['apt-get', ...own, 'update', '-q'], place)
		if (!updated.ok) return updated
		fetched = await run(['apt-get', ...own, 'download', '-q', 'prometheus'], place)
	}
	if (!fetched.ok) return fetched
	const file = (await readdir(work)).find((name) => name.endsWith('.deb'))
	if (file === undefined) return fail({ code: 'fetch-failed', message: `apt-get brought no package: ${wayOut}` })
	return succeed(join(work, file))
}

async function run(
	[program = '', ...parameters]: readonly string[],
	{ work, machine }: { work: string; machine: Machine },
): Promise<Result<null, PartError>> {
	const options = { environment: machine.environment, folder: work, deadlineMs: limits.partFetchMs }
	const outcome = await runCommand(program, parameters, options)
	switch (outcome.kind) {
		case 'notStarted':
			return fail({
				code: 'no-apt',
				message: `Prometheus comes by ${program}, which is not here: use Debian, ${wayOut}`,
			})
		case 'killed':
			return fail({ code: 'no-network', message: `${program} took too long: check the network, ${wayOut}` })
		case 'exited':
			if (outcome.code === 0) return succeed(null)
			return fail({
				code: 'fetch-failed',
				message: `${program} failed: ${lastLine(outcome.stderr)}; mend that, ${wayOut}`,
			})
	}
}

async function runs(path: string, machine: Machine): Promise<boolean> {
	const outcome = await runCommand(path, ['--version'], {
		environment: machine.environment,
		deadlineMs: limits.partProbeMs,
	})
	return outcome.kind === 'exited' && outcome.code === 0
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	)
}
