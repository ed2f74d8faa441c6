// Holds the table of docs/app-mesh.md against a model of App Mesh's API, given as an `api-2.json`: every field of the
// shapes that stand for a `spec` has its row, and every row its field. The model itself is not part of this project.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Shape =
	| { readonly type: 'structure'; readonly members: Readonly<Record<string, { readonly shape: string }>> }
	| { readonly type: 'list'; readonly member: { readonly shape: string } }
	| { readonly type: 'string' | 'integer' | 'long' | 'boolean' | 'timestamp' }
type Model = { readonly shapes: Readonly<Record<string, Shape>> }

/** A row of the table: its fields, and the files that it names, as paths from the project's folder. */
export type FieldRow = {
	readonly fields: readonly string[]
	readonly read: readonly string[]
	readonly atWork: readonly string[]
}

const kinds = ['Mesh', 'VirtualNode', 'VirtualService', 'VirtualRouter', 'Route', 'VirtualGateway', 'GatewayRoute']

/** Rows of the tables below "Every field". */
export function rowsOfTable(markdown: string): readonly FieldRow[] {
	const section = markdown.split('\n## Every field\n')[1]?.split('\n## ')[0] ?? ''
	return section
		.split('\n')
		.filter((line) => line.startsWith('| `'))
		.map((line) => {
			const [field = '', , read = '', atWork = ''] = line
				.split('|')
				.slice(1)
				.map((cell) => cell.trim())
			return {
				fields: alternatives(field.replaceAll('`', '')),
				read: words(read).map((name) => `test/golden/mesh/${name.replace('/', '/in/')}.yaml`),
				atWork: words(atWork).map((name) => `test/envoy/${name}.test.ts`),
			}
		})
}

function words(text: string): string[] {
	return text.split(' ').filter((word) => word !== '')
}

/** `a.{b,c}` stands for `a.b` and `a.c`. */
function alternatives(field: string): string[] {
	const braces = /\{([^{}]*)\}/.exec(field)
	if (braces === null) return [field]
	const [whole, inner = ''] = braces
	return inner.split(',').flatMap((each) => alternatives(field.replace(whole, each)))
}

/** Every field of the shapes that stand for a `spec`, such as `Route.spec.httpRoute.match.headers[].name`. */
export function fieldsOfModel({ shapes }: Model): readonly string[] {
	const below = (name: string, path: string): string[] => {
		const shape = shapes[name]
		if (shape === undefined) throw new Error(`the model has no shape ${name}`)
		if (shape.type === 'list') return below(shape.member.shape, `${path}[]`)
		if (shape.type !== 'structure') return []
		return Object.entries(shape.members).flatMap(([member, { shape: inner }]) => [
			`${path}.${member}`,
			...below(inner, `${path}.${member}`),
		])
	}
	return kinds.flatMap((kind) => below(`${kind}Spec`, `${kind}.spec`))
}

function main(model: string | undefined): number {
	if (model === undefined) {
		console.error('usage: node scripts/check-app-mesh-fields.ts api-2.json')
		return 2
	}
	const table = readFileSync(join(import.meta.dirname, '../docs/app-mesh.md'), 'utf8')
	const written = rowsOfTable(table).flatMap(({ fields }) => fields)
	const known = fieldsOfModel(JSON.parse(readFileSync(model, 'utf8')))
	const faults = [
		...known.filter((field) => !written.includes(field)).map((field) => `not in the table: ${field}`),
		...written.filter((field) => !known.includes(field)).map((field) => `not in the model: ${field}`),
		...written.filter((field, index) => written.indexOf(field) < index).map((field) => `twice in the table: ${field}`),
	]
	for (const fault of faults) console.error(fault)
	if (faults.length === 0) console.log(`${known.length} fields, each with one row`)
	return faults.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv[2])
