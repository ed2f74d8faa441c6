// What the table of docs/app-mesh.md says of tests is so. Whether it has every field of the API, the script says: it
// needs the API's model, which is not part of the project.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { expect, test } from 'vitest'
import { fieldsOfModel, rowsOfTable } from '../scripts/check-app-mesh-fields.ts'

const root = join(import.meta.dirname, '..')
const rows = rowsOfTable(readFileSync(join(root, 'docs/app-mesh.md'), 'utf8'))

function fieldsIn(value: unknown, path: string): string[] {
	if (Array.isArray(value)) return value.flatMap((each) => fieldsIn(each, `${path}[]`))
	if (value === null || typeof value !== 'object') return []
	return Object.entries(value).flatMap(([name, field]) => [`${path}.${name}`, ...fieldsIn(field, `${path}.${name}`)])
}

function fieldsOfFile(file: string): string[] {
	const documents = loadAll(readFileSync(join(root, file), 'utf8')) as { kind: string; spec?: unknown }[]
	return documents.flatMap(({ kind, spec }) => fieldsIn(spec, `${kind}.spec`))
}

test('every field has one row', () => {
	const fields = rows.flatMap((row) => row.fields)
	expect(fields.length).toBeGreaterThan(400)
	expect(fields.filter((field, index) => fields.indexOf(field) < index)).toEqual([])
})

test('every field is written in the golden cases that its row names', () => {
	const known = new Map<string, ReadonlySet<string>>()
	const isIn = (file: string, field: string) => {
		if (!known.has(file)) known.set(file, new Set(fieldsOfFile(file)))
		return known.get(file)?.has(field) === true
	}
	const unseen = rows.flatMap(({ fields, read }) => fields.filter((field) => !read.some((file) => isIn(file, field))))
	expect(unseen).toEqual([])
})

/** A test's text, and that of the fixtures that it imports from beside it. */
function textOfTest(file: string): string {
	const text = readFileSync(join(root, file), 'utf8')
	const fixtures = [...text.matchAll(/from '\.\/fixtures\/(.+)'/g)].map(([, name]) => `test/envoy/fixtures/${name}`)
	return [text, ...fixtures.map((each) => readFileSync(join(root, each), 'utf8'))].join('\n')
}

test('every field is at work in a test with real Envoys, in whose text its name is', () => {
	const known = new Map<string, string>()
	const isIn = (file: string, field: string) => {
		if (!known.has(file)) known.set(file, existsSync(join(root, file)) ? textOfTest(file) : '')
		const name = field.split('.').at(-1)?.replace('[]', '')
		return new RegExp(`\\b${name}\\b`).test(known.get(file) ?? '')
	}
	const unseen = rows.flatMap(({ fields, atWork }) =>
		fields.filter((field) => !atWork.some((file) => isIn(file, field))),
	)
	expect(unseen).toEqual([])
	const named = new Set(rows.flatMap(({ atWork }) => atWork))
	expect([...named].filter((file) => !existsSync(join(root, file)))).toEqual([])
})

test('the fields of a model are those of its specs, through lists and structures', () => {
	const structure = (members: Record<string, string>) => ({
		type: 'structure' as const,
		members: Object.fromEntries(Object.entries(members).map(([name, shape]) => [name, { shape }])),
	})
	const empty = structure({})
	const shapes = {
		MeshSpec: structure({ egressFilter: 'Text' }),
		VirtualNodeSpec: structure({ listeners: 'Listeners' }),
		VirtualServiceSpec: empty,
		VirtualRouterSpec: empty,
		RouteSpec: empty,
		VirtualGatewaySpec: empty,
		GatewayRouteSpec: empty,
		Listeners: { type: 'list' as const, member: { shape: 'Listener' } },
		Listener: structure({ port: 'Text' }),
		Text: { type: 'string' as const },
	}
	expect(fieldsOfModel({ shapes })).toEqual([
		'Mesh.spec.egressFilter',
		'VirtualNode.spec.listeners',
		'VirtualNode.spec.listeners[].port',
	])
})
