import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { exitCodes } from '#cli/exit-codes.ts'
import { runInProcess } from '../../fixtures/run-in-process.ts'

// The command as a user runs it: a process of its own.

const root = join(import.meta.dirname, '../../..')
const main = join(root, 'src/main.ts')
const example = join(root, 'mesh-config')
let home: string
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})
afterEach(() => rmSync(home, { recursive: true }))

function start(parameters: readonly string[], environment: Record<string, string> = {}) {
	const child = spawn(process.execPath, [main, ...parameters], {
		cwd: home,
		env: { PATH: process.env.PATH, HOME: home, ...environment },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let out = ''
	let talk = ''
	child.stdout.on('data', (chunk) => (out += String(chunk)))
	child.stderr.on('data', (chunk) => (talk += String(chunk)))
	const ended = once(child, 'close').then(([code]) => ({ code: code as number, out, talk }))
	/** Resolves when standard error has matched. */
	const said = (pattern: RegExp) =>
		new Promise<RegExpExecArray>((resolve, reject) => {
			const look = () => {
				const found = pattern.exec(talk)
				if (found !== null) resolve(found)
			}
			look()
			child.stderr.on('data', look)
			child.once('close', () => reject(new Error(`it ended without ${pattern}: ${talk}`)))
		})
	return { child, ended, said }
}

const sluice = (parameters: readonly string[], environment?: Record<string, string>) =>
	start(parameters, environment).ended

function copyExample(change: (text: string) => string = (text) => text): string {
	const folder = join(home, 'mesh')
	cpSync(example, folder, { recursive: true })
	const file = join(folder, 'route-service-b.yaml')
	writeFileSync(file, change(readFileSync(file, 'utf8')))
	return folder
}

describe('--help', () => {
	test('tells offline verbs from those that ask a daemon, gives examples and exit codes', async () => {
		const { code, out, talk } = await sluice(['--help'])
		expect([code, talk]).toEqual([0, ''])
		const offline = out.indexOf('Offline verbs')
		const daemon = out.indexOf('Daemon verbs')
		for (const verb of ['validate', 'plan', 'bootstrap', 'schema']) {
			expect(out.indexOf(`\n  ${verb}`)).toBeGreaterThan(offline)
			expect(out.indexOf(`\n  ${verb}`)).toBeLessThan(daemon)
		}
		for (const verb of ['run', 'status', 'rollout', 'accept', 'healthcheck'])
			expect(out.indexOf(`\n  ${verb}`)).toBeGreaterThan(daemon)
		expect(out).toContain('Examples:')
		for (const { code: number, meaning } of Object.values(exitCodes)) expect(out).toContain(`${number}  ${meaning}`)
		expect(out).not.toContain('lab-')
	})

	test('the exit codes are the agreed ones', () => {
		expect(Object.values(exitCodes).map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 64, 65, 69, 75, 77])
	})
})

describe('usage', () => {
	test.for([
		[['statsu'], 'Did you mean status?'],
		[['validate', '--frm', 'x'], 'unknown option'],
		[['validate', '-o', 'xml'], 'Allowed choices are text, json, github'],
		[['rollout', 'abort', 'x'], "required option '--reason <text>'"],
		[['rollout', 'abort', 'x', '--reason', 'y', '--ramp', 'soon'], '--ramp: "soon" is no duration'],
		[['bootstrap', '--node', 'serviceA'], 'Write mesh/MESH/virtualNode/NAME'],
		[['run'], 'say --repo URL or --folder PATH'],
		[['run', '--repo', 'a', '--folder', 'b'], 'both a repository (flag --repo) and a folder (flag --folder)'],
		[['run', '--folder', '.', '--xds-identities', 'spiffe://*/{name}'], 'xds-tls is not said'],
		[['run', '--repo', 'http://host/x'], 'http:// is not accepted'],
		[['status', '--http', 'nowhere'], 'is no HOST:PORT'],
		[['run', '--config', 'missing.yaml', '--folder', '.'], 'cannot read missing.yaml'],
	] as const)('%j', async ([parameters, words]) => {
		const { code, out, talk } = await runInProcess(parameters)
		expect([code, out]).toEqual([exitCodes.usage.code, []])
		expect(talk.join('\n')).toContain(words)
	})
})

describe('validate', () => {
	test('a good mesh', async () => {
		const { code, out, talk } = await sluice(['validate', example])
		expect([code, out]).toEqual([0, ''])
		expect(talk).toBe('valid: 9 resources, no findings\n')
	})

	test('a bad one: every finding, with its line and the way out', async () => {
		const folder = copyExample((text) =>
			text.replace(/virtualNode: serviceB,/, 'virtualNode: servieB,').replace('match:', 'mach:'),
		)
		const { code, out, talk } = await sluice(['validate', folder], { FORCE_COLOR: '0' })
		expect(code).toBe(exitCodes.findings.code)
		expect(out).toMatch(/error\[SL0204\].*"mach"/)
		expect(out).toContain('did you mean "match"?')
		expect(out).toMatch(/route-service-b\.yaml:\d+:\d+/)
		expect(talk).toMatch(/refused: \d+ errors?\n$/)
	})

	test('-o json is one document that says whether it is valid', async () => {
		const folder = copyExample((text) => text.replace('match:', 'mach:'))
		const { code, out } = await sluice(['validate', folder, '-o', 'json'])
		expect(code).toBe(exitCodes.findings.code)
		expect(JSON.parse(out)).toMatchObject({
			apiVersion: 'sluice/v1',
			kind: 'Validation',
			valid: false,
			diagnostics: [{ severity: 'error' }],
		})
	})

	test('what is not there', async () => {
		const { code, talk } = await sluice(['validate', 'nowhere'])
		expect(code).toBe(exitCodes.badInput.code)
		expect(talk).toContain('cannot read nowhere')
	})
})

describe('plan', () => {
	test('changes are exit code 2 only where that was asked for', async () => {
		const folder = copyExample((text) =>
			text.replace(/weight: 100 ?\}/, 'weight: 75}\n        - {virtualNode: serviceBv2, weight: 25}'),
		)
		const [plain, detailed] = await Promise.all([
			sluice(['plan', folder, '--base', example]),
			sluice(['plan', folder, '--base', example, '--detailed-exitcode']),
		])
		expect([plain.code, detailed.code]).toEqual([0, exitCodes.changes.code])
		expect(plain.out.trimEnd().split('\n').at(-1)).toBe(
			'Plan: 1 route shifts in 2 steps (at least 8s), 0 prepared, 0 replaced, 0 removals.',
		)
	})
})

test('bootstrap prints YAML alone', async () => {
	const { code, out, talk } = await sluice([
		'bootstrap',
		'--node',
		'arn:aws:appmesh:eu-central-1:1:mesh/apps/virtualNode/serviceA',
		'--instance',
		'i-1',
	])
	expect([code, talk]).toEqual([0, ''])
	expect(out).toContain('id: mesh/apps/virtualNode/serviceA')
	expect(out).toContain('instance: i-1')
})

test('schema prints the schema of a kind', async () => {
	const { code, out } = await sluice(['schema', 'Route'])
	expect(code).toBe(0)
	expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(join(root, 'schemas/route.schema.json'), 'utf8')))
})

test('without a daemon, its verbs say so', async () => {
	for (const parameters of [['status'], ['rollout', 'list'], ['accept', 'x', '--reason', 'y']]) {
		const { code, talk } = await sluice([...parameters, '--http', '127.0.0.1:1'])
		expect(code).toBe(exitCodes.unreachable.code)
		expect(talk).toContain('no Sluice answers at 127.0.0.1:1')
	}
	expect((await sluice(['healthcheck', '--http', '127.0.0.1:1'])).code).toBe(1)
})

describe('run', () => {
	async function run(...more: string[]) {
		const daemon = start([
			'run',
			'--folder',
			copyExample(),
			'--xds',
			'127.0.0.1:0',
			'--http',
			'127.0.0.1:0',
			'--log-format',
			'json',
			...more,
		])
		const [, http = ''] = await daemon.said(/"api":"http:\/\/([^"]+)"/)
		return { ...daemon, http }
	}

	test('--print-config says where each setting comes from, and starts nothing', async () => {
		writeFileSync(join(home, 'sluice.yaml'), 'branch: release\n')
		const { code, out } = await sluice(['run', '--print-config', '--poll', '5s'], { SLUICE_STATE: '/var/lib/sluice' })
		expect(code).toBe(0)
		for (const line of [
			/^branch: "release" +# sluice\.yaml:1$/m,
			/^poll: "5s" +# flag --poll$/m,
			/^state: "\/var\/lib\/sluice" +# SLUICE_STATE$/m,
		]) {
			expect(out).toMatch(line)
		}
	})

	test('it serves, answers, and stops in good order at SIGTERM', async () => {
		const { child, ended, http } = await run()
		// Right after the start: it waits for the first revision as well.
		const settled = await sluice(['status', '--wait', '--timeout', '20s', '--http', http])
		expect([settled.code, settled.talk]).toEqual([0, ''])
		expect((await sluice(['healthcheck', '--ready', '--http', http])).code).toBe(0)
		const status = await sluice(['status', '-o', 'json'], { SLUICE_HTTP: http })
		expect(JSON.parse(status.out)).toMatchObject({ kind: 'Status', headline: { level: 'settled' } })
		const refused = await sluice(['rollout', 'abort', 'serviceB/serviceB#1', '--reason', 'x', '--http', http])
		expect([refused.code, refused.talk]).toEqual([1, 'sluice: there is no rollout serviceB/serviceB#1\n'])
		child.kill('SIGTERM')
		const { code, talk } = await ended
		expect(code).toBe(0)
		expect(talk).toContain('in good order')
		for (const line of talk.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('event')
	})

	test('SIGHUP looks at the source at once', async () => {
		const { child, ended, said } = await run()
		child.kill('SIGHUP')
		await said(/"event":"daemon\.poll"/)
		child.kill('SIGINT')
		expect((await ended).code).toBe(0)
	})

	test('a port in use is one line with the way out, and 1', async () => {
		const { child, ended, http } = await run()
		const second = await sluice([
			'run',
			'--folder',
			'mesh',
			'--state',
			'other',
			'--xds',
			'127.0.0.1:0',
			'--http',
			http,
			'--log-level',
			'error',
		])
		expect([second.code, second.talk]).toEqual([
			1,
			`sluice: the API cannot listen on ${http}: the port is in use. Stop what uses it, or give another with --http\n`,
		])
		child.kill('SIGTERM')
		await ended
	})
})
