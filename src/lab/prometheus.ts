import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { systemClock } from '#base/system-clock.ts'
import { atExit } from './at-exit.ts'
import type { PrometheusBinary } from './find-prometheus.ts'
import { LabError } from './lab-error.ts'
import { freePorts } from './ports.ts'
import { makeTempDirectory } from './temp.ts'
import { until } from './until.ts'

/** A Prometheus on a loopback port that stays its own. It looks for what to scrape 5 s after its start, not sooner. */
export type Prometheus = AsyncDisposable & {
	/** `http://127.0.0.1:43210` */
	readonly address: string
	/** Freezes it: it takes connections and answers nothing. */
	pause(): void
	resume(): void
	/** Ends it: connections are refused. */
	stop(): Promise<void>
}

export type PrometheusOptions = {
	readonly prometheus: PrometheusBinary
	/** `host:port` of what has `/metrics`, scraped every `scrapeMs`. */
	readonly target: string
	readonly scrapeMs: number
}

/** Starts it, and resolves when it answers. It ends with this process. */
export async function startPrometheus({ prometheus, target, scrapeMs }: PrometheusOptions): Promise<Prometheus> {
	const host = '127.0.0.1'
	const [port = 0] = await freePorts(host, 1)
	const address = `http://${host}:${port}`
	const folder = makeTempDirectory('prometheus')
	const settings = {
		global: { scrape_interval: `${scrapeMs}ms`, scrape_timeout: `${scrapeMs}ms` },
		scrape_configs: [{ job_name: 'lab', static_configs: [{ targets: [target] }] }],
	}
	// JSON is YAML.
	writeFileSync(join(folder.path, 'prometheus.yml'), JSON.stringify(settings))
	const flags = [
		`--config.file=${join(folder.path, 'prometheus.yml')}`,
		`--storage.tsdb.path=${join(folder.path, 'data')}`,
		`--web.listen-address=${host}:${port}`,
	]
	const child = spawn(prometheus.path, flags, { stdio: ['ignore', 'ignore', 'pipe'] })
	let said = ''
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said = (said + text).slice(-4_000)
	})
	const exited = once(child, 'exit')
	await once(child, 'spawn')
	const release = atExit(() => child.kill('SIGKILL'))

	async function stop(): Promise<void> {
		child.kill('SIGKILL')
		await exited
		release()
		folder.remove()
	}

	await until({ clock: systemClock, deadlineMs: limits.prometheusReadyMs, what: 'Prometheus answers' }, async () => {
		if (child.exitCode !== null) throw new LabError('exited', `Prometheus ended with ${child.exitCode}:\n${said}`)
		return isReady(address)
	})
	return {
		address,
		pause: () => void child.kill('SIGSTOP'),
		resume: () => void child.kill('SIGCONT'),
		stop,
		[Symbol.asyncDispose]: stop,
	}
}

async function isReady(address: string): Promise<true | null> {
	try {
		const response = await fetch(`${address}/-/ready`, { signal: AbortSignal.timeout(limits.prometheusReadyMs) })
		await response.arrayBuffer()
		return response.ok ? true : null
	} catch (error) {
		if (error instanceof TypeError) return null
		throw error
	}
}
