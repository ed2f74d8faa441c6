import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { compareText } from '#base/diagnostic.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { CompiledResource, TypeUrl } from './compiled.ts'

type Ingredients<Desc extends DescMessage> = {
	readonly typeUrl: TypeUrl
	readonly name: string
	/** Everything that `make` reads, as text: the key is this with the name in front. */
	readonly key: string
	readonly schema: Desc
	readonly clusters?: Iterable<string>
	readonly routes?: Iterable<string>
	readonly endpoints?: Iterable<string>
	readonly secrets?: Iterable<string>
	readonly madeOf: readonly ResourceId[]
	readonly make: () => MessageShape<Desc>
}

export function compiledResource<Desc extends DescMessage>(ingredients: Ingredients<Desc>): CompiledResource {
	const { typeUrl, name, key, schema, madeOf, make } = ingredients
	const { clusters = [], routes = [], endpoints = [], secrets = [] } = ingredients
	return {
		typeUrl,
		name,
		key: `${name} ${key}`,
		references: {
			clusters: sortedNames(clusters),
			routes: sortedNames(routes),
			endpoints: sortedNames(endpoints),
			secrets: sortedNames(secrets),
		},
		madeOf,
		build: () => ({ schema, message: make() }),
	}
}

function sortedNames(names: Iterable<string>): string[] {
	return [...new Set(names)].sort(compareText)
}
