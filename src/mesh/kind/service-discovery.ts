import { compareText } from '#base/diagnostic.ts'
import { checkIpAddress } from '../check-address.ts'
import { type Finding, warningAt } from '../finding.ts'
import type {
	VirtualNodeAwsCloudMap,
	VirtualNodeDns,
	VirtualNodeManifest,
	VirtualNodeStatic,
} from '../manifest.generated.ts'
import type { ServiceDiscovery } from '../proxy-spec.ts'

export function readServiceDiscovery({ spec }: VirtualNodeManifest): ServiceDiscovery | null {
	const { dns, awsCloudMap, static: written } = spec.serviceDiscovery ?? {}
	if (dns !== undefined) return readDns(dns)
	if (awsCloudMap !== undefined) return readAwsCloudMap(awsCloudMap)
	return written === undefined ? null : readStatic(written)
}

/** A trailing dot is dropped: host names are always whole ones. */
function readDns({ hostname, responseType = 'LOADBALANCER', ipPreference }: VirtualNodeDns): ServiceDiscovery {
	return { kind: 'dns', hostname: hostname.replace(/\.$/, ''), responseType, ipPreference: ipPreference ?? null }
}

/** Attributes come out sorted, each once: an instance must have all of them. */
function readAwsCloudMap(cloudMap: VirtualNodeAwsCloudMap): ServiceDiscovery {
	const { namespaceName, serviceName, attributes = [], ipPreference = null } = cloudMap
	const sorted = attributes
		.map(({ key, value }) => ({ key, value }))
		.sort((left, right) => compareText(left.key, right.key) || compareText(left.value, right.value))
		.filter(({ key, value }, index, all) => all[index - 1]?.key !== key || all[index - 1]?.value !== value)
	return { kind: 'awsCloudMap', namespaceName, serviceName, attributes: sorted, ipPreference }
}

/** Endpoints come out sorted, each once. */
function readStatic({ endpoints }: VirtualNodeStatic): ServiceDiscovery {
	const sorted = endpoints
		.map(({ address, port = null }) => ({ address, port }))
		.sort((left, right) => compareText(left.address, right.address) || (left.port ?? 0) - (right.port ?? 0))
		.filter(({ address, port }, index, all) => all[index - 1]?.address !== address || all[index - 1]?.port !== port)
	return { kind: 'static', endpoints: sorted }
}

export function checkServiceDiscovery({ spec }: VirtualNodeManifest): readonly Finding[] {
	const { awsCloudMap, static: written } = spec.serviceDiscovery ?? {}
	const path = ['spec', 'serviceDiscovery']
	return [
		...findContradictions(awsCloudMap?.attributes ?? []),
		...(written?.endpoints ?? []).flatMap(({ address }, index) =>
			checkIpAddress([...path, 'static', 'endpoints', index, 'address'], address),
		),
	]
}

/** An instance has one value of an attribute, so two that are asked for are had by none. */
function findContradictions(attributes: readonly { key: string; value: string }[]): readonly Finding[] {
	const values = new Map<string, string>()
	return attributes.flatMap(({ key, value }, index) => {
		const first = values.get(key) ?? value
		values.set(key, first)
		if (first === value) return []
		const message = `the attribute ${key} is asked for as "${first}" and as "${value}": no instance can have both`
		const path = ['spec', 'serviceDiscovery', 'awsCloudMap', 'attributes', index, 'value']
		return [warningAt(path, 'SL0234', message)]
	})
}
