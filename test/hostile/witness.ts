// A proxy that does all by the book beside those that do not: asks for everything as Envoy does, accepts what it is told,
// and keeps it for the test to look at.

import { typeUrls } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { discoveryMethods, type Serves } from '#xds/services.ts'
import {
	decodeTold,
	encodeSaying,
	type NodeInit,
	type Told,
	type TypeName,
	type Variant,
} from '../fixtures/xds-dialogue.ts'

export type WitnessKind = { readonly variant: Variant; readonly by: 'aggregated' | 'separate' }

export const witnessKinds: readonly WitnessKind[] = [
	{ variant: 'delta', by: 'aggregated' },
	{ variant: 'stateOfTheWorld', by: 'aggregated' },
	{ variant: 'delta', by: 'separate' },
	{ variant: 'stateOfTheWorld', by: 'separate' },
]

export type Witness = {
	readonly key: string
	/** What it was told since the last call, oldest first. */
	told(): Told[]
	/** What it will be told next; at once if it was told something already. */
	next(): Promise<Told>
	/** Null while all its streams are open. */
	ended(): string | null
}

export type WitnessOptions = WitnessKind & {
	readonly node: NodeInit
	readonly key: string
	/** What is served when it begins: the names that it asks for. */
	readonly snapshot: Snapshot
	readonly open: (path: string, stream: WitnessStream) => (bytes: Uint8Array) => void
}

export type WitnessStream = { onMessage(bytes: Uint8Array): void; onEnd(why: string): void }

const types: readonly TypeName[] = ['cluster', 'endpoint', 'listener', 'route', 'secret']

export function createWitness({ variant, by, node, key, snapshot, open }: WitnessOptions): Witness {
	const inbox: Told[] = []
	let waiting: ((told: Told) => void) | null = null
	let ended: string | null = null
	const names = (type: TypeName) => [...snapshot.types[typeUrls[type]].resources.keys()]
	const isWildcard = (type: TypeName) => type === 'cluster' || type === 'listener'
	const asked = (type: TypeName) => (isWildcard(type) ? {} : { names: names(type) })

	function begin(serves: Serves, own: readonly TypeName[]): void {
		const method = discoveryMethods.find((each) => each.variant === variant && each.serves === serves)
		const write = open(method?.path ?? '', {
			onMessage(bytes) {
				const told = decodeTold(variant, bytes)
				const { type, nonce, version } = told
				const repeated = variant === 'delta' ? {} : asked(type)
				write(encodeSaying(variant, { type, nonce, version, ...repeated }))
				inbox.push(told)
				const wake = waiting
				waiting = null
				if (wake !== null) wake(inbox.shift() ?? told)
			},
			onEnd(why) {
				ended ??= why
			},
		})
		for (const [index, type] of own.entries()) {
			write(encodeSaying(variant, { type, ...asked(type), ...(index === 0 ? { node } : {}) }))
		}
	}

	if (by === 'aggregated') begin('all', types)
	else for (const type of types) begin(typeUrls[type], [type])

	return {
		key,
		told: () => inbox.splice(0),
		next() {
			const first = inbox.shift()
			if (first !== undefined) return Promise.resolve(first)
			return new Promise((resolve) => {
				waiting = resolve
			})
		},
		ended: () => ended,
	}
}
