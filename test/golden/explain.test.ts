// test/golden/explain/NAME/in/*.yaml and asked.json → out.txt: what `sluice explain` says of each request. `-u` rewrites.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import type { Capture, ProxyIdentity } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { compiledConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import { placeRoutes } from '#explain/place-routes.ts'
import { readRequest } from '#explain/read-request.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import { renderExplained } from '../../src/cli/explain-text.ts'
import { effectiveMesh } from '../../src/controller/effective.ts'
import { groupAsked } from '../../src/controller/group-asked.ts'

type Asked = {
	readonly kind?: ProxyIdentity['kind']
	readonly name: string
	readonly method?: string
	readonly url: string
	readonly headers?: Readonly<Record<string, string>>
	readonly capture?: Capture['mode']
}

const root = join(import.meta.dirname, 'explain')

test.for(readdirSync(root))('explain/%s', async (name) => {
	const input = join(root, name, 'in')
	const outcome = readMesh(new Map(readdirSync(input).map((file) => [file, readFileSync(join(input, file))])))
	if (outcome.kind === 'refused') throw new Error(JSON.stringify(outcome.diagnostics, null, 1))
	const { mesh, origins } = outcome
	const all = JSON.parse(readFileSync(join(root, name, 'asked.json'), 'utf8')) as Asked[]
	const texts = all.map(({ kind = 'virtualNode', name: proxy, method = 'GET', url, headers = {}, capture }) => {
		const group = groupAsked({ mesh: 'apps', kind, name: proxy }, capture ?? 'intercept')
		const compiled = compileGroup(effectiveMesh(mesh, []), group, nothingDiscovered)
		if (compiled === null) throw new Error(`${proxy} is not in the mesh`)
		const lines = Object.entries(headers).map(([header, value]) => ({ name: header, value }))
		const asked = readRequest(method, url, lines)
		if (!asked.ok) throw new Error(asked.error)
		const explained = explainRequest(compiledConfiguration(compiled), group, asked.value)
		const known = { resources: mesh.resources, origins }
		const placed = placeRoutes(explained, known)
		return `${lines.map(({ name: header, value }) => `${header}: ${value}\n`).join('')}${renderExplained(placed, { asked: null, folder: '', color: false })}`
	})
	await expect(`${texts.join(`\n\n${'─'.repeat(100)}\n\n`)}\n`).toMatchFileSnapshot(join(root, name, 'out.txt'))
})
