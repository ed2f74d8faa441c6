import { create } from '@bufbuild/protobuf'
import { limits } from '#base/limits.ts'
import { LocalitySchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import { defaultNode, type NodeInit } from '../fixtures/xds-dialogue.ts'

/** Of the mesh, with what else `sluice bootstrap` writes. */
export function nodeOf(name: string, instance: string | null, more: Readonly<Record<string, string | number>> = {}) {
	const sluice = { ...more, ...(instance === null ? {} : { instance }) }
	return { ...defaultNode, id: `mesh/apps/virtualNode/${name}`, metadata: { sluice } }
}

/** Few, and so known soon: what proxies that left are remembered by grows no more then. */
const hostileInstances = 8

/** Who somebody with a name of his own may say he is: of the group of the witnesses, and of others. */
export const ownNodes: readonly NodeInit[] = Array.from({ length: hostileInstances }, (_, index) => [
	nodeOf('serviceA', `hostile-${index}`),
	nodeOf('serviceA', null),
	nodeOf('serviceB', `hostile-${index}`, { egressPort: 1 + (index % 5) }),
	nodeOf(`nobody-${index}`, `hostile-${index}`),
]).flat()

/** Who nobody is, or not he. */
export const othersNodes: readonly NodeInit[] = [
	{},
	{ id: '' },
	{ id: 'mesh/apps/virtualNode/' },
	{ id: 'mesh/../virtualNode/a' },
	{ id: `mesh/${'a'.repeat(256)}/virtualNode/a` },
	{ id: 'x'.repeat(1_000) },
	{ ...defaultNode, metadata: { sluice: 'x' } },
	{ ...defaultNode, metadata: { sluice: { instance: {} } } },
	{ ...defaultNode, metadata: { sluice: { instance: 'x'.repeat(256) } } },
	{ ...defaultNode, metadata: { sluice: { capture: 'x' } } },
	{ ...defaultNode, metadata: { sluice: { bind: '1', egressPort: -1 } } },
	{ ...defaultNode, metadata: { __proto__: { sluice: 1 }, ['x'.repeat(limits.xdsNodeBytes)]: 1 } },
	{ ...defaultNode, locality: create(LocalitySchema, { zone: 'z'.repeat(10_000) }) },
	nodeOf('serviceA', 'hostile-0'),
	nodeOf('serviceB', 'hostile-0'),
]
