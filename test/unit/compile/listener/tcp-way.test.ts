import { expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import { typeUrls } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { resourceId } from '#mesh/mesh.ts'
import { fixtureGroup, readableOf } from '../../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../../../fixtures/mesh-fixture.ts'

const tcp = { protocol: 'tcp', match: { kind: 'tcp', port: null } } as const
const resources: readonly BriefResource[] = [
	{ kind: 'VirtualNode', name: 'web', backends: ['sql.local', 'cache.local', 'shop.local'] },
	...['db', 'db2', 'cache', 'shop'].map((name): BriefResource => ({ kind: 'VirtualNode', name })),
	{ kind: 'VirtualService', name: 'sql.local', router: 'sql' },
	{ kind: 'VirtualRouter', name: 'sql', listeners: [{ port: 3306, protocol: 'tcp' }] },
	{ kind: 'Route', name: 'all', router: 'sql', targets: { db: 1, db2: 0 }, spec: tcp },
	{ kind: 'VirtualService', name: 'cache.local', router: 'cache' },
	{ kind: 'VirtualRouter', name: 'cache', listeners: [{ port: 6379, protocol: 'tcp' }] },
	{ kind: 'Route', name: 'all', router: 'cache', targets: { cache: 1 }, spec: tcp },
	{ kind: 'VirtualService', name: 'shop.local', node: 'shop' },
]

type Listener = { readonly filter_chains: readonly { readonly filter_chain_match?: { destination_port?: number } }[] }

/** The listener that intercepted calls come to, with this share of the connections for the new database. */
function listenerAt(sharePpm: number): Listener {
	const route = resourceId.route('apps', 'sql', 'all')
	const effective = fixtureEffective(resources, { splits: { [route]: { db: 1_000_000 - sharePpm, db2: sharePpm } } })
	const compiled = compileGroup(effective, fixtureGroup('web', { mode: 'intercept' }), nothingDiscovered) ?? []
	return readableOf(compiled, typeUrls.listener, 'lds_egress_0.0.0.0_15001') as unknown as Listener
}

// Envoy keeps connections of chains that stay as they are; those of a chain that changes end with the drain time.
test('a step changes its own filter chain, and nothing else of the listener', () => {
	const [before, after] = [listenerAt(0), listenerAt(100_000)]
	const portOf = (chain: Listener['filter_chains'][number]) => chain.filter_chain_match?.destination_port
	const changed = before.filter_chains.filter((chain, index) => {
		return JSON.stringify(chain) !== JSON.stringify(after.filter_chains[index])
	})
	expect(before.filter_chains.map(portOf)).toEqual(expect.arrayContaining([3306, 6379, 80]))
	expect(changed.map(portOf)).toEqual([3306])
	expect({ ...after, filter_chains: [] }).toEqual({ ...before, filter_chains: [] })
})
