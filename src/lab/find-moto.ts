import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type Machine, partsFolder, thisMachine } from './machine.ts'
import { motoMegabytes, motoRequirements, motoVersion } from './moto-part.ts'
import type { PartError } from './parts.ts'
import { lastLine, runCommand } from './run-command.ts'

/** Python's packages of moto: a folder for PYTHONPATH. */
export type MotoFolder = { readonly path: string }

export type FindMotoOptions = {
	/** Gets one line before anything is fetched. Silent by default. */
	readonly onProgress?: (line: string) => void
	readonly machine?: Machine
}

/**
 * moto from the cache, or else from the package index into it. `pip install --target` touches nothing but that folder,
 * needs no root, and is allowed where Python is externally managed. The folder appears whole or not at all.
 */
export async function findMoto(options: FindMotoOptions = {}): Promise<Result<MotoFolder, PartError>> {
	const { machine = thisMachine(), onProgress = () => undefined } = options
	const python = await pythonTag(machine)
	if (python === null) return fail({ code: 'no-python', message: 'moto needs python3 with pip: install python3-pip' })
	// Some of the wheels are of one version of Python.
	const path = join(partsFolder(machine.environment), `moto-${motoVersion}-${python}`)
	if (await exists(path)) return succeed({ path })
	onProgress(`fetching moto ${motoVersion} (${motoMegabytes} MB, by pip) into ${path}`)
	return await install(path, machine)
}

async function install(path: string, machine: Machine): Promise<Result<MotoFolder, PartError>> {
	const parts = join(path, '..')
	let work: string
	try {
		await mkdir(parts, { recursive: true })
		work = await mkdtemp(join(parts, '.fetch-'))
	} catch {
		return fail({ code: 'cache-not-writable', message: `cannot write to ${parts}: set SLUICE_CACHE to a folder` })
	}
	const flags = ['--no-deps', '--only-binary=:all:', '--no-input', '--quiet', '--disable-pip-version-check']
	try {
		const outcome = await runCommand(
			'python3',
			['-m', 'pip', 'install', ...flags, '--retries', '2', '--target', work, ...motoRequirements],
			{ environment: machine.environment, deadlineMs: limits.partFetchMs },
		)
		if (outcome.kind !== 'exited' || outcome.code !== 0) {
			const why = outcome.kind === 'notStarted' ? outcome.reason : lastLine(outcome.stderr)
			return fail({ code: 'fetch-failed', message: `pip could not fetch moto: ${why}; mend that and try again` })
		}
		await rename(work, path).catch(async (error: unknown) => {
			// Somebody else was quicker.
			if (!(await exists(path))) throw error
		})
		return succeed({ path })
	} finally {
		await rm(work, { recursive: true, force: true })
	}
}

/** `cp311`; null when there is no python3 with pip. */
async function pythonTag(machine: Machine): Promise<string | null> {
	const script = 'import sys, pip; print(f"cp{sys.version_info.major}{sys.version_info.minor}")'
	const options = { environment: machine.environment, deadlineMs: limits.partProbeMs }
	const outcome = await runCommand('python3', ['-c', script], options)
	return outcome.kind === 'exited' && outcome.code === 0 ? outcome.stdout.trim() : null
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	)
}
