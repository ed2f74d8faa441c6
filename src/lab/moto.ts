import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { systemClock } from '#base/system-clock.ts'
import { atExit } from './at-exit.ts'
import type { MotoFolder } from './find-moto.ts'
import { LabError } from './lab-error.ts'
import { freePorts } from './ports.ts'
import { until } from './until.ts'

/** moto's server on a loopback port that stays its own. What it was told is lost with each stop. */
export type Moto = AsyncDisposable & {
	/** `http://127.0.0.1:43210`, for AWS_ENDPOINT_URL. */
	readonly endpoint: string
	/** Freezes it: it takes connections and answers nothing. */
	pause(): void
	resume(): void
	/** Ends it: connections are refused. */
	stop(): Promise<void>
	/** After `stop`. Resolves when it answers. */
	start(): Promise<void>
}

export type MotoOptions = { readonly moto: MotoFolder; readonly clock?: Clock }

/** Starts it, and resolves when it answers. It ends with this process. */
export async function startMoto({ moto, clock = systemClock }: MotoOptions): Promise<Moto> {
	const host = '127.0.0.1'
	const [port = 0] = await freePorts(host, 1)
	const endpoint = `http://${host}:${port}`
	let run: MotoRun | null = null

	async function start(): Promise<void> {
		run = await startRun(['-m', 'moto.server', '-H', host, '-p', String(port)], moto.path)
		const { child } = run
		await until({ clock, deadlineMs: limits.motoReadyMs, what: 'moto answers' }, async () => {
			if (child.exitCode !== null || child.signalCode !== null)
				throw new LabError('exited', `moto ended with ${child.signalCode ?? `code ${child.exitCode}`}:\n${run?.said()}`)
			return answers(endpoint)
		})
	}

	async function stop(): Promise<void> {
		const ending = run
		run = null
		if (ending === null) return
		ending.child.kill('SIGKILL')
		await ending.exited
	}

	await start()
	return {
		endpoint,
		pause: () => void run?.child.kill('SIGSTOP'),
		resume: () => void run?.child.kill('SIGCONT'),
		stop,
		start,
		[Symbol.asyncDispose]: stop,
	}
}

type MotoRun = { readonly child: ChildProcess; readonly exited: Promise<unknown>; said(): string }

async function startRun(parameters: readonly string[], packages: string): Promise<MotoRun> {
	const child = spawn('python3', parameters, {
		stdio: ['ignore', 'ignore', 'pipe'],
		env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
	})
	let said = ''
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said = (said + text).slice(-4_000)
	})
	const exited = once(child, 'exit')
	await once(child, 'spawn')
	const release = atExit(() => child.kill('SIGKILL'))
	return { child, exited: exited.then(release), said: () => said }
}

async function answers(endpoint: string): Promise<true | null> {
	try {
		const response = await fetch(`${endpoint}/moto-api/`, { signal: AbortSignal.timeout(limits.motoReadyMs) })
		await response.arrayBuffer()
		return response.ok ? true : null
	} catch (error) {
		if (error instanceof TypeError) return null
		throw error
	}
}
