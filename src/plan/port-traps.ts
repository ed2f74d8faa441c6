import type { Mesh, Resource, ResourceId, VirtualService } from '#mesh/mesh.ts'
import { type ChangedPath, laterListener } from './changed-path.ts'
import type { Trap } from './trap.ts'
import { listenerPointers } from './trap-places.ts'

/** A listener that goes, or that takes bytes apart in another way, while traffic comes to it. */
export function portTraps(path: ChangedPath, desired: Mesh): Trap[] {
	const { before, call } = path
	const { port, protocol } = before.listener
	const later = laterListener(path)
	const node = path.node ?? before.node
	const callers = [call.caller.name]
	if (later === undefined) {
		if (isLetGoFirst(path, desired)) return []
		const way = `add the new listener to ${node.name} beside it, then move its callers there, then remove listener ${port}: each in a commit of its own`
		const what = `listener ${port} of ${node.name} goes`
		const why = 'they send their traffic there until they have all changed'
		return [{ code: 'SL0415', resource: node.id, pointers: ['/spec/listeners', '/spec'], what, callers, why, way }]
	}
	if ((protocol === 'tcp') === (later.protocol === 'tcp')) return []
	return [
		{
			code: 'SL0416',
			resource: node.id,
			pointers: listenerPointers(node, port, 'portMapping/protocol'),
			what: `listener ${port} of ${node.name} goes from ${protocol} to ${later.protocol}`,
			callers,
			why: 'until both ends have changed, one sends requests and the other takes plain connections',
			way: `add a listener with ${later.protocol} on another port to ${node.name}, then move its callers there, then remove listener ${port}: each in a commit of its own`,
		},
	]
}

/**
 * The weights lead away from the node altogether: it keeps its listener until the rollout that moves them has ended, since
 * the route in force names it.
 */
function isLetGoFirst({ before, node }: ChangedPath, desired: Mesh): boolean {
	if (before.route === null) return false
	const route = desired.resources[before.route.id]
	if (route?.kind !== 'Route' || node === null) return false
	return route.spec.targets.every(({ virtualNode }) => virtualNode !== node.id)
}

/** A port that applications dial goes. */
export function servicePortTraps(paths: readonly ChangedPath[], meshes: { applied: Mesh; desired: Mesh }): Trap[] {
	const { applied, desired } = meshes
	return paths.flatMap(({ before, call }): Trap[] => {
		const old = before.service.spec.provider
		const later = call.service.spec.provider
		// The listeners of a node that stays the provider are looked at by themselves.
		if (old === null || later === null || (old.kind === 'virtualNode' && old.id === later.id)) return []
		// A gateway's proxy dials by itself what its routes name.
		if (call.caller.kind === 'VirtualGateway') return []
		const left = portsOf(desired, call.service)
		return dialled(applied, before)
			.filter((port) => !left.includes(port))
			.map((port) => ({
				code: 'SL0417',
				...placeOf(old.id === later.id ? later.id : call.service.id, desired),
				what: `the virtual service ${call.service.name} no longer listens on port ${port}`,
				callers: [call.caller.name],
				why: 'their applications dial that port until they have been changed',
				way: `keep a listener on port ${port} beside the new one until the applications dial the other`,
			}))
	})
}

function placeOf(id: ResourceId, { resources }: Mesh): Pick<Trap, 'resource' | 'pointers'> {
	const part = resources[id]?.kind === 'VirtualService' ? '/spec/provider' : '/spec/listeners'
	return { resource: id, pointers: [part, '/spec'] }
}

/** Ports by which this path is dialled. */
function dialled({ resources }: Mesh, { route, listener, service }: ChangedPath['before']): number[] {
	if (route === null) return [listener.port]
	const only = route.spec.match.port
	return listenersOf(resources[service.spec.provider?.id as ResourceId])
		.map(({ port }) => port)
		.filter((port) => only === null || only === port)
}

function portsOf({ resources }: Mesh, { spec }: VirtualService): number[] {
	return spec.provider === null ? [] : listenersOf(resources[spec.provider.id]).map(({ port }) => port)
}

function listenersOf(provider: Resource | undefined): readonly { readonly port: number }[] {
	return provider?.kind === 'VirtualRouter' || provider?.kind === 'VirtualNode' ? provider.spec.listeners : []
}
