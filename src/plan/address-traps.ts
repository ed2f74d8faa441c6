import { type Mesh, resourceId, type VirtualNode } from '#mesh/mesh.ts'
import type { IpPreference } from '#mesh/proxy-spec.ts'
import { type ChangedPath, laterListener } from './changed-path.ts'
import { speechTo } from './client-tls.ts'
import type { Trap } from './trap.ts'

/** A name that callers check in the server's certificate changes with the name they look it up by; or its address family. */
export function addressTraps(path: ChangedPath, meshes: { readonly applied: Mesh; readonly desired: Mesh }): Trap[] {
	return [nameTrap(path), familyTrap(path, meshes)].filter((trap) => trap !== null)
}

function nameTrap(path: ChangedPath): Trap | null {
	const { before, node, call } = path
	const later = laterListener(path)
	if (node === null || later === undefined) return null
	const names = { old: discoveryName(before.node), new: discoveryName(node) }
	if (names.old === null || names.new === null || names.old === names.new) return null
	const speech = speechTo(later, path.policies.after)
	const checksName = speech.kind === 'tls' && speech.validation?.subjectAlternativeNames.length === 0
	if (!checksName) return null
	return {
		code: 'SL0418',
		resource: node.id,
		pointers: ['/spec/serviceDiscovery', '/spec'],
		what: `${node.name} is found as ${names.new} instead of ${names.old}`,
		callers: [call.caller.name],
		why: 'without names of their own they ask for that name in its certificate, which has the old one',
		way: "write both names into the subjectAlternativeNames of the callers' client policies first; where the certificate has both already, `sluice accept` takes the revision in",
	}
}

/** The name that App Mesh takes for the certificate's where none is written. */
function discoveryName({ spec: { serviceDiscovery } }: VirtualNode): string | null {
	switch (serviceDiscovery?.kind) {
		case 'dns':
			return serviceDiscovery.hostname
		case 'awsCloudMap':
			return `${serviceDiscovery.serviceName}.${serviceDiscovery.namespaceName}`
		case 'static':
		case undefined:
			return null
	}
}

/** Without a preference a server listens on IPv4 alone; with any it takes both. */
function familyTrap(
	{ before, node, call }: ChangedPath,
	{ applied, desired }: { applied: Mesh; desired: Mesh },
): Trap | null {
	if (node === null) return null
	const old = preferenceOf(before.node, applied)
	const later = preferenceOf(node, desired)
	const place = {
		code: 'SL0419',
		resource: later.from,
		pointers: [
			`/spec/serviceDiscovery/${node.spec.serviceDiscovery?.kind}/ipPreference`,
			'/spec/serviceDiscovery',
			'/spec',
		],
		callers: [call.caller.name],
	} as const
	if (old.value === null && isIpv6(later.value)) {
		return {
			...place,
			what: `${node.name} is called by ${later.value}`,
			why: 'a server whose proxy has not changed yet listens on IPv4 alone',
			way: 'write IPv4_PREFERRED first, with which servers listen on both, then the other',
		}
	}
	if (isIpv6(old.value) && later.value === null) {
		return {
			...place,
			what: `${node.name} is no longer called by ${old.value}`,
			why: 'a server whose proxy has changed listens on IPv4 alone, and callers that have not still come by IPv6',
			way: 'write IPv4_PREFERRED first, with which servers listen on both, then take the preference away',
		}
	}
	return null
}

function isIpv6(preference: IpPreference | null): boolean {
	return preference === 'IPv6_ONLY' || preference === 'IPv6_PREFERRED'
}

function preferenceOf(node: VirtualNode, { resources }: Mesh): { value: IpPreference | null; from: Trap['resource'] } {
	const { serviceDiscovery } = node.spec
	const own = serviceDiscovery?.kind === 'static' ? null : (serviceDiscovery?.ipPreference ?? null)
	if (own !== null) return { value: own, from: node.id }
	const mesh = resources[resourceId.mesh(node.mesh)]
	return { value: mesh?.kind === 'Mesh' ? mesh.spec.ipPreference : null, from: resourceId.mesh(node.mesh) }
}
