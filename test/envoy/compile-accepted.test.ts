// Every golden output of the compiler, and bootstraps of every kind, as the real Envoy sees them: it takes them, old and
// new, and calls nothing in them deprecated.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findEnvoy } from '#lab/find-envoy.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { runCommand } from '#lab/run-command.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import type { BootstrapOptions } from '../../src/cli/bootstrap/bootstrap-options.ts'
import { controlPlaneSecretFiles } from '../../src/cli/bootstrap/control-plane-tls.ts'
import { tokenSecretFile } from '../../src/cli/bootstrap/control-plane-token.ts'
import { placeSecretFiles } from '../../src/cli/bootstrap/place-secret-files.ts'
import { renderBootstrapYaml } from '../../src/cli/bootstrap/render-bootstrap-yaml.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { type CertificateFiles, writeCertificateFiles } from '../fixtures/certificate-files.ts'
import { type CompileInput, compileInput } from '../fixtures/compile-fixture.ts'
import { staticResources } from '../fixtures/static-resources.ts'

const goldens = join(import.meta.dirname, '../golden/compile')
const versions: readonly EnvoyVersion[] = ['1.40.0', '1.36.2']
const envoys = new Map<EnvoyVersion, string>()
const folder = makeTempDirectory('accepted')
let certificates: CertificateFiles

beforeAll(async () => {
	certificates = await writeCertificateFiles(folder.path)
	for (const version of versions) {
		const found = await findEnvoy({ version, onProgress: console.log })
		if (!found.ok) throw new Error(found.error.message)
		envoys.set(version, found.value.path)
	}
}, 300_000)
afterAll(() => folder.remove())

/** What Envoy says about a file: `OK`, or its complaints; warnings count. */
async function complaintsOf(version: EnvoyVersion, name: string, text: string): Promise<string> {
	const file = join(folder.path, `${name.replaceAll(/[^a-z0-9]+/g, '-')}-${version}`, 'bootstrap.yaml')
	mkdirSync(dirname(file), { recursive: true })
	writeFileSync(file, text)
	const outcome = await runCommand(envoys.get(version) ?? '', ['--mode', 'validate', '-l', 'warning', '-c', file])
	if (outcome.kind !== 'exited') throw new Error(`Envoy ${outcome.kind}`)
	return outcome.code === 0 && outcome.stderr.trim() === '' ? 'OK' : outcome.stderr
}

/** With paths at which something is. */
async function withFiles(options: BootstrapOptions): Promise<BootstrapOptions> {
	if (options.tls === undefined) return options
	const { authorities, chain, privateKey } = certificates
	const tls = { ...options.tls, authorities, own: { chain, privateKey }, folder: folder.path }
	const token = { file: join(folder.path, 'token'), folder: folder.path }
	writeFileSync(token.file, 'a-token')
	const placed = await placeSecretFiles(new Map([...controlPlaneSecretFiles(tls), tokenSecretFile(token)]))
	if (!placed.ok) throw new Error(placed.error)
	return { ...options, tls, ...(options.token === undefined ? {} : { token }) }
}

function fileOf(content: object): string {
	const limit = 'envoy.resource_monitors.global_downstream_max_connections'
	const type =
		'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig'
	const config = { '@type': type, max_active_downstream_connections: 1000 }
	const overload = { resource_monitors: [{ name: limit, typed_config: config }] }
	return JSON.stringify({ node: { id: 'test', cluster: 'test' }, overload_manager: overload, ...content })
}

describe.for(versions)('Envoy %s', (version) => {
	test.for(readdirSync(goldens))('takes what is compiled: %s', async (name) => {
		const input = JSON.parse(readFileSync(join(goldens, name, 'in.json'), 'utf8')) as CompileInput
		const text = fileOf({ static_resources: staticResources(compileInput(input), certificates) })
		expect(await complaintsOf(version, name, text)).toBe('OK')
	})

	test.for(Object.entries(bootstrapVariants))('takes a bootstrap: %s', async ([name, options]) => {
		expect(await complaintsOf(version, name, renderBootstrapYaml(await withFiles(options)))).toBe('OK')
	})
})

test('what Envoy finds wrong or old would be seen', async () => {
	const listener = {
		name: 'l',
		address: { socket_address: { address: '127.0.0.1', port_value: 1 } },
		reuse_port: true,
		filter_chains: [{ filters: [] }],
	}
	const old = fileOf({ static_resources: { listeners: [listener] } })
	expect(await complaintsOf('1.40.0', 'old', old)).toMatch(/deprecated/i)
	expect(await complaintsOf('1.40.0', 'wrong', fileOf({ static_resources: { clusters: [{}] } }))).toMatch(/Name/)
})
