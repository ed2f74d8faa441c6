import type { VirtualNode } from '#mesh/mesh.ts'
import type { ClientTls, VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { type Call, type LivePath, listenerOf } from './live-paths.ts'

/** A path that carries traffic, and what becomes of it. */
export type ChangedPath = {
	readonly before: LivePath
	/** The same call afterwards: whoever stops calling asks for nothing more. */
	readonly call: Call
	/** Null: the node is removed, which waits until nobody needs it. */
	readonly node: VirtualNode | null
	/** Of all backends by which the caller reaches the listener. */
	readonly policies: { readonly before: readonly (ClientTls | null)[]; readonly after: readonly (ClientTls | null)[] }
	/** `left`: it is to carry nothing in the end, and still does until the weights have moved. */
	readonly end: 'kept' | 'left'
}

/** The listener of a path as it is to be; `undefined` when it is to be gone. */
export function laterListener({ before, node }: ChangedPath): VirtualNodeListener | undefined {
	return node === null ? before.listener : listenerOf(node, before.listener.port)
}
