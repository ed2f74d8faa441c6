// Makes what a command needs before it can run: the generated protos. Idempotent: it does nothing when the
// stamp says that the inputs are the same. Called by `prepare`, `predemo`, `pretest` and `prebench`.
// Two at once do not harm each other. It downloads nothing: the protos come out of the `@grpc/grpc-js-xds` package, the
// compilers out of npm.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const protoFolder = join(root, 'src/proto')
const generated = join(protoFolder, 'gen')
const cache = join(root, '.cache')
const rootsFile = join(protoFolder, 'roots.txt')
const extra = join(protoFolder, 'extra')
const extraProto = join(extra, 'io/prometheus/client/metrics.proto')

const require = createRequire(import.meta.url)

function main(): void {
	const xdsPackage = findPackage('@grpc/grpc-js-xds')
	const buf = findPackage('@bufbuild/buf')
	const plugin = findPackage('@bufbuild/protoc-gen-es')
	// `npm install --omit=dev` brings the bundle's only dependency, Node; there is nothing to generate for.
	if (xdsPackage === null || buf === null || plugin === null) return
	const manifests = [xdsPackage, buf, plugin].map((folder) => join(folder, 'package.json'))
	const stamp = stampOf([rootsFile, extraProto, import.meta.filename, ...manifests])
	if (readStamp() === stamp) return
	console.log('setup: generating the Envoy protos (once, a few seconds)')
	mkdirSync(cache, { recursive: true })
	const work = mkdtempSync(join(cache, 'proto-'))
	try {
		const made = generate(xdsPackage, work)
		// The stamp goes in before the folder is put in its place: with a stamp it is whole.
		writeFileSync(join(made, '.stamp'), stamp)
		putInPlace(made, join(work, 'old'), stamp)
	} finally {
		rmSync(work, { recursive: true, force: true })
	}
}

function readStamp(): string | null {
	const file = join(generated, '.stamp')
	return existsSync(file) ? readFileSync(file, 'utf8') : null
}

/** Moves the new folder to where the old one is, which goes to `aside`. Another setup that was faster has the same. */
function putInPlace(made: string, aside: string, stamp: string): void {
	try {
		if (existsSync(generated)) renameSync(generated, aside)
		renameSync(made, generated)
	} catch (error) {
		if (readStamp() !== stamp) throw error
	}
}

function findPackage(name: string): string | null {
	const folder = join(root, 'node_modules', name)
	return existsSync(join(folder, 'package.json')) ? folder : null
}

function stampOf(files: string[]): string {
	const hash = createHash('sha256')
	for (const file of files) hash.update(readFileSync(file))
	return hash.digest('hex')
}

/** Generates into `work`; returns the folder of what was made. */
function generate(xdsPackage: string, work: string): string {
	const input = join(work, 'in')
	for (const folder of ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds']) {
		cpSync(join(xdsPackage, 'deps', folder), input, { recursive: true })
	}
	cpSync(extra, input, { recursive: true })
	patchValidateRules(join(input, 'validate/validate.proto'))
	addUseHashPolicy(join(input, 'envoy/config/route/v3/route_components.proto'))
	const roots = readFileSync(rootsFile, 'utf8')
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '' && !line.startsWith('#'))

	writeFileSync(join(input, 'buf.yaml'), 'version: v2\n')
	const template = join(work, 'buf.gen.yaml')
	const plugin = {
		local: require.resolve('@bufbuild/protoc-gen-es/bin/protoc-gen-es'),
		out: join(work, 'gen'),
		strategy: 'all',
	}
	// `all`: one run of the plugin for the whole image; one run a folder costs ten times as much.
	const options = ['target=ts', 'import_extension=ts', 'erasable_syntax=true']
	writeFileSync(template, JSON.stringify({ version: 'v2', plugins: [{ ...plugin, opt: options }] }))
	const image = join(work, 'image.binpb')
	runBuf([
		'build',
		input,
		'--exclude-source-info',
		'-o',
		image,
		...roots.flatMap((path) => ['--path', join(input, path)]),
	])
	runBuf(['generate', image, '--template', template, '--include-imports'])
	return join(work, 'gen')
}

/** The bundled validate.proto is older than the protos that use it: one option is missing there. */
function patchValidateRules(file: string): void {
	const text = readFileSync(file, 'utf8')
	if (text.includes('ignore_empty = 26')) return
	writeFileSync(
		file,
		text.replace('message StringRules {', 'message StringRules {\n    optional bool ignore_empty = 26;'),
	)
}

/**
 * The bundled protos are older than `WeightedCluster.use_hash_policy`, which Envoy has in the whole supported range: the
 * target of a request is drawn by the hash of its header or cookie.
 */
function addUseHashPolicy(file: string): void {
	const text = readFileSync(file, 'utf8')
	if (text.includes('use_hash_policy')) return
	const [before, after, ...others] = text.split(/(?<=\n {2}oneof random_value_specifier \{\r?\n)/)
	if (before === undefined || after === undefined || others.length > 0)
		throw new Error(`${file}: expected one "oneof random_value_specifier", to which use_hash_policy is added`)
	writeFileSync(file, `${before}    google.protobuf.BoolValue use_hash_policy = 5;\n\n${after}`)
}

function runBuf(args: string[]): void {
	const bin = join(root, 'node_modules/.bin/buf')
	execFileSync(bin, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: root, timeout: 120_000 })
}

main()
