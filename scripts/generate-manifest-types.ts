// Writes src/mesh/manifest.generated.ts: the types of the documents as people write them, from schemas/.
// A test makes them again and compares, so the types are always those of the published schemas.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from 'json-schema-to-typescript'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = join(root, 'src/mesh/manifest.generated.ts')
const kinds = [
	'Mesh',
	'VirtualNode',
	'VirtualService',
	'VirtualRouter',
	'Route',
	'VirtualGateway',
	'GatewayRoute',
	'RolloutPolicy',
	'Expectation',
]
const banner = '// Generated from schemas/ by `npm run generate:types`. Not edited by hand.\n'

type Schema = { [member: string]: unknown; title?: string; $defs?: Record<string, Schema> }

/** The text of src/mesh/manifest.generated.ts. */
export async function generateManifestTypes(): Promise<string> {
	const parts: string[] = []
	for (const kind of kinds) {
		const file = kind.replace(/(?<=[a-z])([A-Z])/g, '-$1').toLowerCase()
		const schema: Schema = JSON.parse(readFileSync(join(root, `schemas/${file}.schema.json`), 'utf8'))
		parts.push(await compile(forTypes(schema, kind) as object, `${kind}Manifest`, options))
	}
	const union = `/** Any document, once its schema holds. */\nexport type Manifest = ${kinds.map((kind) => `${kind}Manifest`).join(' | ')}\n`
	return [banner, ...parts, union].join('\n')
}

const options = {
	bannerComment: '',
	ignoreMinAndMaxItems: true,
	additionalProperties: false,
	unknownAny: true,
	style: { semi: false, singleQuote: true, useTabs: true, printWidth: 120 },
}

/**
 * The schema as the generator wants it: names only for the document and its definitions (a title on a property would
 * become a type of its own), and no `oneOf` that only says which fields must be there.
 */
function forTypes(schema: Schema, kind: string): Schema {
	const definitions = Object.entries(schema.$defs ?? {}).map(([name, definition]) => [
		name,
		{ ...(plain(definition) as Schema), title: `${kind}${name.charAt(0).toUpperCase()}${name.slice(1)}` },
	])
	return {
		...(plain({ ...schema, $defs: {} }) as Schema),
		$id: `${kind}Manifest`,
		$defs: Object.fromEntries(definitions),
	}
}

function plain(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(plain)
	if (value === null || typeof value !== 'object') return value
	const dropped = new Set(['examples', 'oneOf', 'default'])
	if ('title' in value && typeof value.title === 'string') dropped.add('title')
	// Siblings of a reference are text for people; beside it they would hide the definition's name.
	if ('$ref' in value) return { $ref: value.$ref }
	// A value of several forms, told apart by one of its fields.
	if ('discriminator' in value && 'oneOf' in value) return { oneOf: plain(value.oneOf) }
	const members = Object.entries(value).filter(([key]) => !dropped.has(key))
	return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	writeFileSync(target, await generateManifestTypes())
}
