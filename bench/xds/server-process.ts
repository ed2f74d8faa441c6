import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '#base/system-clock.ts'
import { LabError } from '#lab/lab-error.ts'
import { withDeadline } from '#lab/until.ts'
import type { Clusters } from '../telemetry/played-flush.ts'
import type { Reported } from './load-messages.ts'

/** A server under test, in a process of its own. */
export type ServerProcess = AsyncDisposable & {
	readonly pid: number
	readonly port: number
	/** Has it change its route; the wall time in ms before it began to. */
	change(): Promise<number>
	/** What each proxy has to have told before that, where anything. */
	readonly asksFor?: {
		readonly reported: Clusters
		/** All has been taken in that they told. */
		heard(reported: Reported): Promise<void>
	}
}

/** One that has orders of its own. */
export type ObeyingProcess = ServerProcess & {
	ask<Name extends string>(order: string, names: readonly Name[]): Promise<Numbers<Name>>
}

type Numbers<Name extends string> = Readonly<Record<Name, number>>

export type LineProcess = AsyncDisposable & {
	readonly pid: number
	say(line: string): void
	/** The next line that says this. */
	hear<Fact>(read: (line: unknown) => Fact | null, what: string): Promise<Fact>
	readonly ended: Promise<void>
}

const deadlineMs = 120_000

/** A program that obeys lines (`obey-lines.ts`). */
export async function startServer(file: string, parameters: readonly string[]): Promise<ObeyingProcess> {
	const child = startLines(file, parameters)
	const { port } = await hearNumbers(child, ['port'], `${file} listens`)
	return {
		pid: child.pid,
		port,
		async change() {
			const { startedMs } = await askLines(child, 'change', ['startedMs'])
			return startedMs
		},
		ask: (order, names) => askLines(child, order, names),
		[Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
	}
}

/** What it answers to an order: numbers of these names. */
export function askLines<Name extends string>(
	child: LineProcess,
	order: string,
	names: readonly Name[],
): Promise<Numbers<Name>> {
	child.say(order)
	return hearNumbers(child, names, `the answer to ${order}`)
}

/** The next line that tells numbers of these names. */
export function hearNumbers<Name extends string>(
	child: LineProcess,
	names: readonly Name[],
	what: string,
): Promise<Numbers<Name>> {
	return child.hear((line) => numbersIn(line, names), what)
}

/** What is measured is run as the image runs it. */
const imageOptions = /^ENV NODE_OPTIONS=(.*)$/m.exec(
	readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8'),
)?.[1]

/** A program that prints JSON, line by line: on its standard output, or as a log on its standard error. */
export function startLines(
	file: string,
	parameters: readonly string[],
	printsOn: 'stdout' | 'stderr' = 'stdout',
): LineProcess {
	const others = printsOn === 'stdout' ? (['pipe', 'inherit'] as const) : (['ignore', 'pipe'] as const)
	const env = { ...process.env, NODE_OPTIONS: imageOptions }
	const child: ChildProcess = spawn(file, parameters, { env, stdio: ['pipe', ...others] })
	const printed = child[printsOn]
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
	const waiting = new Set<(line: unknown) => void>()
	if (printed !== null) {
		createInterface({ input: printed }).on('line', (line) => {
			const parsed: unknown = JSON.parse(line)
			for (const take of [...waiting]) take(parsed)
		})
	}
	return {
		pid: child.pid ?? 0,
		ended,
		say: (line) => void child.stdin?.write(`${line}\n`),
		hear<Fact>(read: (line: unknown) => Fact | null, what: string) {
			const heard = new Promise<Fact>((resolve, reject) => {
				const take = (line: unknown) => {
					const fact = read(line)
					if (fact === null) return
					waiting.delete(take)
					resolve(fact)
				}
				waiting.add(take)
				void ended.then(() => reject(new LabError('refused', `${file} ended before ${what}`)))
			})
			return withDeadline(heard, { clock: systemClock, deadlineMs, what })
		},
		async [Symbol.asyncDispose]() {
			child.kill('SIGKILL')
			await ended
		},
	}
}

function numbersIn<Name extends string>(line: unknown, names: readonly Name[]): Numbers<Name> | null {
	const given = line as Partial<Record<Name, unknown>> | null
	const isThere = names.every((name) => typeof given?.[name] === 'number')
	return isThere ? (given as Numbers<Name>) : null
}

/** CPU time of a process since its start, of all its threads, those that have ended too, in s. As Linux counts it. */
export function cpuSeconds(pid: number): number {
	const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
	// The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field after it.
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
	return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Linux's USER_HZ, on every machine that Node runs on. */
const ticksPerSecond = 100

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
	const [, kilobytes = 'NaN'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
	return Number(kilobytes) / 1024
}
