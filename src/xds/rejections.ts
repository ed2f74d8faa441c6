import { compareText } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { Rejection } from './fleet-view.ts'
import type { Member } from './group.ts'

/** What a proxy has refused, or has not answered for in time, on any of its streams. */
export function rejectionsOf(member: Member): Rejection[] {
	const found = new Map<string, Omit<Rejection, 'proxy'>>()
	for (const rejection of member.seats.flatMap(({ stream }) => stream.rejections())) {
		found.set(`${rejection.typeUrl}\n${rejection.name}`, rejection)
	}
	return [...found.values()]
		.slice(0, limits.namedProxies)
		.map((rejection) => ({ ...rejection, proxy: member.proxy.key }))
}

export function compareRejections(left: Rejection, right: Rejection): number {
	return (
		compareText(left.proxy, right.proxy) ||
		compareText(left.typeUrl, right.typeUrl) ||
		compareText(left.name, right.name)
	)
}
