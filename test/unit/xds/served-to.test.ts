import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import {
	edsCluster,
	endpoints,
	listener,
	naming,
	route,
	secret,
	snapshotOf,
	staticCluster,
} from '../../fixtures/resources.ts'
import { createDialogue, type Dialogue, type Told, type Variant } from '../../fixtures/xds-dialogue.ts'

const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']
const at = { host: '127.0.0.1', port: 8080 }
const base = [staticCluster('a', at), listener('l', at, 'r'), route('r', { a: 1 })]
const web = naming(edsCluster('web'), { endpoints: ['web'], secrets: ['cert'] })
const found = endpoints('web', at)
const cert = secret('cert', 'one')

/** A proxy in use, to which `web` is on its way. */
function warming(variant: Variant): { dialogue: Dialogue; cluster: Told } {
	const dialogue = createDialogue(variant, { snapshot: snapshotOf(...base) })
	for (const type of ['cluster', 'listener'] as const) {
		dialogue.say({ type })
		dialogue.acceptAll()
	}
	dialogue.say({ type: 'route', names: ['r'] })
	dialogue.acceptAll()
	dialogue.clock.advance(limits.xdsSettleMs)
	dialogue.stream.serve(snapshotOf(...base, web, found, cert))
	return { dialogue, cluster: dialogue.toldOnce() }
}

test.for(variants)('%s: a cluster on its way gets what it was sent for, known no more by then', (variant) => {
	const { dialogue, cluster } = warming(variant)
	dialogue.stream.serve(snapshotOf(...base))
	dialogue.say({ type: 'endpoint', names: ['web'] })
	dialogue.say({ type: 'secret', names: ['cert'] })
	expect(dialogue.acceptAll().map(({ resources }) => resources)).toEqual([
		{ web: found.version },
		{ cert: cert.version },
	])
	dialogue.say({ type: 'cluster', nonce: cluster.nonce, version: cluster.version })
	const [removal, ...rest] = dialogue.acceptAll()
	expect(removal).toMatchObject(variant === 'delta' ? { removed: ['web'] } : { type: 'cluster' })
	// It is gone, and so they go.
	expect(rest.flatMap(({ removed }) => removed)).toEqual(variant === 'delta' ? ['web', 'cert'] : [])
	dialogue.say({ type: 'endpoint', remove: ['web'], names: [] })
	expect(dialogue.stream.state(typeUrls.cluster)).toBe('current')
	expect(dialogue.stream.state(typeUrls.endpoint)).toBe('current')
})

test.for(variants)('%s: what is known in another version is told in that', (variant) => {
	const { dialogue } = warming(variant)
	const renewed = secret('cert', 'two')
	dialogue.stream.serve(snapshotOf(...base, renewed))
	dialogue.say({ type: 'secret', names: ['cert'] })
	expect(dialogue.toldOnce().resources).toEqual({ cert: renewed.version })
})

test.for(variants)('%s: once it is warm nothing more of that is told', (variant) => {
	const { dialogue, cluster } = warming(variant)
	dialogue.stream.serve(snapshotOf(...base))
	dialogue.say({ type: 'cluster', nonce: cluster.nonce, version: cluster.version })
	dialogue.acceptAll()
	dialogue.say({ type: 'secret', names: ['cert'] })
	expect(dialogue.told().flatMap(({ resources }) => Object.keys(resources))).toEqual([])
})
