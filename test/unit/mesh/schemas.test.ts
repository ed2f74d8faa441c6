// The published schemas themselves: complete for editors, and true to their own examples and to mesh-config/.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parseYaml } from '../../../src/mesh/parse-yaml.ts'
import { readMesh } from '../../../src/mesh/read-mesh.ts'

const root = join(import.meta.dirname, '../../..')
const schemas = readdirSync(join(root, 'schemas')).map((file) => ({ file, schema: readSchema(file) }))

type Schema = {
	$id?: string
	$ref?: string
	type?: string
	const?: unknown
	title?: string
	description?: string
	examples?: unknown[]
	discriminator?: unknown
	items?: Schema
	additionalProperties?: boolean | Schema
	properties?: Record<string, Schema>
	$defs?: Record<string, Schema>
}

function readSchema(file: string): Schema {
	return JSON.parse(readFileSync(join(root, 'schemas', file), 'utf8'))
}

/** Every part of a schema that describes a value, with the JSON pointer to it. */
function partsOf(schema: Schema, pointer = '#'): [string, Schema][] {
	const inner = [
		...Object.entries(schema.properties ?? {}).map(([name, part]) => [`${pointer}/properties/${name}`, part] as const),
		...Object.entries(schema.$defs ?? {}).map(([name, part]) => [`${pointer}/$defs/${name}`, part] as const),
		...(schema.items === undefined ? [] : [[`${pointer}/items`, schema.items] as const]),
	]
	return [[pointer, schema], ...inner.flatMap(([at, part]) => partsOf(part, at))]
}

function newAjv(): Ajv2020 {
	const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, discriminator: true })
	for (const { schema } of schemas) ajv.addSchema(schema)
	return ajv
}

test.for(schemas)('$file: identity, words and closed mappings', ({ file, schema }) => {
	expect(schema.$id).toBe(`https://sluice.dev/schemas/v1/${file}`)
	for (const [pointer, part] of partsOf(schema)) {
		expect(part.title, `${pointer} has a title`).toMatch(/\S/)
		expect(part.description, `${pointer} has a description`).toMatch(/\.$|sluice\.schema\.json$/)
		// A value of several forms leaves its fields to them.
		if (part.type === 'object' && part.discriminator === undefined && file !== 'sluice.schema.json') {
			expect(part.additionalProperties, `${pointer} knows all its fields`).toSatisfy(
				(extra) => extra === false || typeof extra === 'object',
			)
		}
	}
})

test.for(schemas)('$file: every example is valid', ({ schema }) => {
	const ajv = newAjv()
	for (const [pointer, part] of partsOf(schema)) {
		const isLeaf = part.properties === undefined && part.$ref === undefined
		if (isLeaf || pointer === '#') expect(part.examples?.length, `${pointer} has examples`).toBeGreaterThan(0)
		const validate = ajv.compile({ $ref: `${schema.$id}${pointer === '#' ? '' : encodeURI(pointer)}` })
		for (const example of part.examples ?? []) {
			expect(validate(example), `${pointer}: ${JSON.stringify(example)}: ${ajv.errorsText(validate.errors)}`).toBe(true)
		}
	}
})

test('the schema for whole files knows every kind', () => {
	const validate = newAjv().getSchema('https://sluice.dev/schemas/v1/sluice.schema.json')
	for (const { schema } of schemas) for (const example of schema.examples ?? []) expect(validate?.(example)).toBe(true)
	expect(validate?.({ apiVersion: 'sluice/v1', kind: 'Mesh', metadata: { nam: 'x' } })).toBe(false)
})

test('mesh, node and gateway say the same of what they have alike', () => {
	/** A gateway speaks no tcp, and nobody runs its health checks. */
	const different = ['listener', 'protocol', 'healthCheck', 'connectionPool']
	const [first, ...others] = ['virtual-node', 'virtual-gateway', 'mesh'].map(
		(kind) => readSchema(`${kind}.schema.json`).$defs ?? {},
	)
	for (const definitions of others) {
		const alike = Object.keys(definitions).filter((name) => !different.includes(name))
		for (const name of alike) expect(definitions[name], name).toEqual(first?.[name])
	}
})

const folder = join(root, 'mesh-config')

test('mesh-config/ is accepted without a warning', () => {
	const files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]))
	expect(readMesh(files)).toMatchObject({ kind: 'ok', warnings: [] })
})

test.for(readdirSync(folder))('mesh-config/%s names its schema in the first line, and keeps to it', (file) => {
	const text = readFileSync(join(folder, file), 'utf8')
	const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
	const named: Schema = JSON.parse(readFileSync(join(folder, path), 'utf8'))
	const validate = newAjv().getSchema(named.$id ?? '')
	for (const { value } of parseYaml(text).documents) expect(validate?.(JSON.parse(JSON.stringify(value)))).toBe(true)
})
