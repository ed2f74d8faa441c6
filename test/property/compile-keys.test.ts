// The promise on which everything after the compiler rests: equal keys build equal bytes. Pairs of meshes are drawn from
// so few values that most of their resources are alike, and some differ in one thing.
import { toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CompiledResource, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { count, seed } from '../depth.ts'
import {
	compileMembers,
	type Drawn,
	drawnMembers,
	drawnServices,
	inputOfMembers,
} from '../fixtures/arbitrary-compile-input.ts'
import { type CompileInput, compileInput, readable } from '../fixtures/compile-fixture.ts'

const names = Object.keys(compileMembers)
const picked = fc.array(fc.nat(3), { minLength: names.length, maxLength: names.length })

/** Three inputs, each of whose members is one of the same two. */
const inputs: fc.Arbitrary<CompileInput[]> = fc
	.tuple(drawnMembers, drawnMembers, fc.array(picked, { minLength: 3, maxLength: 3 }))
	.map(([one, other, picks]) =>
		picks.map((pick) => {
			const mixed = names.map((name, index) => [name, Reflect.get(pick[index] === 0 ? other : one, name)])
			return inputOfMembers(Object.fromEntries(mixed) as Drawn<typeof drawnMembers>)
		}),
	)

const bytesOf = (resource: CompiledResource) => {
	const { schema, message } = resource.build()
	return Buffer.from(toBinary(schema, message)).toString('base64')
}

test('equal keys build equal bytes, whatever else differs', () => {
	const alike = new Map<TypeUrl, number>()
	fc.assert(
		fc.property(inputs, (drawnInputs) => {
			const bytes = new Map<string, string>()
			for (const input of drawnInputs) {
				for (const resource of compileInput(input)) {
					const key = `${resource.typeUrl} ${resource.name} ${resource.key}`
					const built = bytesOf(resource)
					if (bytes.has(key)) alike.set(resource.typeUrl, (alike.get(resource.typeUrl) ?? 0) + 1)
					expect(bytes.get(key) ?? built).toBe(built)
					bytes.set(key, built)
				}
			}
		}),
		{ numRuns: count(200, 10_000), seed: seed() },
	)
	const counted = Object.entries(typeUrls).map(([type, url]) => ({ type, count: alike.get(url) ?? 0 }))
	expect(counted.filter(({ count }) => count === 0)).toEqual([])
})

/** Name of a secret or of routes → the ways in which resources of one proxy ask for it on the stream of all else. */
function waysToAsk(value: unknown, found = new Map<string, string[]>()): Map<string, string[]> {
	if (typeof value !== 'object' || value === null) return found
	const { name, sds_config, route_config_name, config_source } = value as Readonly<Record<string, unknown>>
	const asked = sds_config === undefined ? `routes ${route_config_name}` : `secret ${name}`
	const way = JSON.stringify(sds_config ?? config_source)
	if (way?.includes('"ads"')) found.set(asked, [...(found.get(asked) ?? []), way])
	for (const inside of Object.values(value)) waysToAsk(inside, found)
	return found
}

/** Its clusters and its listeners name one certificate and one trust. */
function withSharedNames(one: Drawn<typeof drawnMembers>): Drawn<typeof drawnMembers> {
	const own = { kind: 'sds' as const, secretName: 'own' }
	const named = { certificate: own, validation: { trust: own, subjectAlternativeNames: [] } }
	const clientTls = { enforce: true, ports: [], ...named }
	const behindTls = <Listener>(all: readonly Listener[]) =>
		all.map((each) => ({ ...each, tls: { mode: 'STRICT' as const, ...named } }))
	const { gateway, own: listeners } = one
	return {
		...one,
		secrets: 'daemon',
		backends: drawnServices,
		clientTls,
		own: behindTls(listeners),
		gateway: { ...gateway, listeners: behindTls(gateway.listeners), spec: { ...gateway.spec, clientTls } },
	}
}

// Envoy asks once for a name, and tells a second watcher of it, which other words make, nothing of what the first heard.
test('what resources of one proxy ask for by one name, they ask for in the same words', () => {
	let shared = 0
	fc.assert(
		fc.property(drawnMembers.map(withSharedNames), (one) => {
			for (const [asked, ways] of waysToAsk(compileInput(inputOfMembers(one)).map(readable))) {
				if (ways.length > 1) shared += 1
				expect({ asked, ways: new Set(ways).size }).toEqual({ asked, ways: 1 })
			}
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
	expect(shared).toBeGreaterThan(0)
})
