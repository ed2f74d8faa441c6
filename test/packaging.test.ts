// The package as a stranger gets it: packed, installed outside of this tree, started by npx under whatever Node is there.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const installMs = 240_000

type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

let folder = ''
let project = ''

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'sluice-packaging-'))
	project = join(folder, 'project')
	mkdirSync(project)
	writeFileSync(join(project, 'package.json'), '{ "private": true }')
	const packed = run('npm', ['pack', '--pack-destination', folder], root)
	expect(packed.code, packed.stderr).toBe(0)
	const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? 'no tarball'
	const flags = ['--prefer-offline', '--no-audit', '--no-fund']
	const installed = run('npm', ['install', join(folder, tarball), ...flags], project)
	expect(installed.code, installed.stderr).toBe(0)
}, installMs)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the installed package', () => {
	test('holds the bundle, the schemas, the example and the licences, and no source', () => {
		const files = readdirSync(join(project, 'node_modules/sluice'), { recursive: true, encoding: 'utf8' })
		const wanted = [
			'dist/sluice.js',
			'dist/main.js',
			'dist/mesh-worker.js',
			'dist/aws-cloud-watch.js',
			'dist/aws-directory.js',
			'dist/issue-certificate.js',
			'dist/THIRD-PARTY-LICENSES.txt',
			'schemas',
			'mesh-config',
		]
		expect(files).toEqual(expect.arrayContaining([...wanted, 'LICENSE', 'README.md']))
		expect(files.filter((file) => file.endsWith('.ts'))).toEqual([])
	})

	test('depends on Node alone', () => {
		const { dependencies } = JSON.parse(readFileSync(join(project, 'node_modules/sluice/package.json'), 'utf8'))
		expect(Object.keys(dependencies)).toEqual(['node'])
	})

	test('says its version', () => {
		const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
		expect(sluice('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
	})

	test('validates the example', () => {
		cpSync(join(root, 'mesh-config'), join(project, 'mesh'), { recursive: true })
		const { code, stdout, stderr } = sluice('validate', 'mesh')
		expect(code, stdout + stderr).toBe(0)
	})

	test('refuses a file with a mistake, and says where it is', () => {
		mkdirSync(join(project, 'wrong'))
		const text = 'apiVersion: sluice/v1\nkind: Mesh\nmetadata: {name: apps}\nspec: {egresFilter: {type: DROP_ALL}}\n'
		writeFileSync(join(project, 'wrong/mesh.yaml'), text)
		const { code, stdout, stderr } = sluice('validate', 'wrong')
		expect(code).not.toBe(0)
		expect(stdout + stderr).toMatch(/mesh\.yaml:4:\d+/)
	})

	test('explains the demo', () => {
		const { code, stdout } = sluice('demo', '--help')
		expect(code).toBe(0)
		expect(stdout).toContain('--headless')
	})

	test('starts under an older Node by the one that it brought, and hands the exit code through', () => {
		const launcher = join(project, 'node_modules/sluice/dist/sluice.js')
		const pretend = join(folder, 'older.mjs')
		writeFileSync(pretend, "Object.defineProperty(process.versions, 'node', { value: '20.0.0' })\n")
		expect(run(process.execPath, ['--import', pretend, launcher, '--version'], project).stdout).toMatch(
			/^\d+\.\d+\.\d+\n$/,
		)
		expect(run(process.execPath, ['--import', pretend, launcher, 'no-such-verb'], project).code).not.toBe(0)
	})

	test('says what to do under an older Node when it brought none', () => {
		const alone = join(folder, 'alone')
		cpSync(join(project, 'node_modules/sluice'), alone, { recursive: true })
		const pretend = join(folder, 'older.mjs')
		writeFileSync(pretend, "Object.defineProperty(process.versions, 'node', { value: '20.0.0' })\n")
		const { code, stderr } = run(
			process.execPath,
			['--import', pretend, join(alone, 'dist/sluice.js'), '--version'],
			alone,
		)
		expect(code).toBe(1)
		expect(stderr).toMatch(/^sluice: needs Node 24 .*Install Node 24.*\n$/)
	})
})

function sluice(...parameters: string[]): Outcome {
	const outcome = run('npx', ['--no-install', 'sluice', ...parameters], project)
	// npm may warn of settings of the machine.
	const own = outcome.stderr.split('\n').filter((line) => !line.startsWith('npm '))
	return { ...outcome, stderr: own.join('\n') }
}

function run(command: string, parameters: readonly string[], cwd: string): Outcome {
	const { status, stdout, stderr, error } = spawnSync(command, parameters, { cwd, env: outside(), encoding: 'utf8' })
	if (error !== undefined) throw error
	return { code: status, stdout, stderr }
}

/** The environment as it is outside of this project: nothing of npm's run, vitest, or node_modules in it. */
function outside(): NodeJS.ProcessEnv {
	const ours =
		/^(npm_(package|lifecycle|config_local|config_prefix|config_global|command|execpath|node)|INIT_CWD|NODE$|NODE_OPTIONS|NODE_ENV|VITEST|SLUICE_)/
	const kept = Object.entries(process.env).filter(([name]) => !ours.test(name))
	const path = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'))
	return { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
}
