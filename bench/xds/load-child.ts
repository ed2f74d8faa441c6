// The load client, a process of its own: N proxies, each a connection. The bench talks to it over the IPC channel.
import { typeUrls } from '#compile/compiled.ts'
import { identityNames, identityOf, nodeOf } from './identity.ts'
import type { Arrivals, LoadCommand, LoadReply } from './load-messages.ts'
import { openLoadStream, requestsOf } from './load-stream.ts'

/** Proxies that may be starting at a time: a fleet does not start at once. */
const rampStreams = 64

let streams = 0
/** Of the round that is under way: when each proxy was told, and how much all were sent. */
let times = new Map<number, number>()
let bytes = 0
/** Since the start. */
let allBytes = 0
let isArmed = false

process.on('message', (command: LoadCommand) => {
	switch (command.kind) {
		case 'open':
			return open(command)
		case 'arm':
			times = new Map()
			bytes = 0
			isArmed = true
			return reply({ kind: 'armed' })
	}
})
process.on('disconnect', () => process.exit(0))

function open({ port, variant, count, names }: Extract<LoadCommand, { kind: 'open' }>): void {
	streams = count
	const requests = new Map(identityNames.map((identity) => [identity, requestsOf(variant, names[identity])]))
	let opened = 0
	let ready = 0

	function openNext(): void {
		if (opened === count) return
		const index = opened
		opened += 1
		const ofIdentity = requests.get(identityOf(index))
		if (ofIdentity === undefined) return
		openLoadStream({
			port,
			variant,
			node: nodeOf(index),
			requests: ofIdentity,
			onReady() {
				ready += 1
				if (ready === count) reply({ kind: 'opened', bytes: allBytes })
				else openNext()
			},
			onResponse: (typeUrl, size) => note(index, typeUrl, size),
			onEnd: (why) => reply({ kind: 'failed', why: `proxy ${index}: ${why}` }),
		})
	}

	for (let starting = 0; starting < rampStreams; starting += 1) openNext()
}

function note(index: number, typeUrl: string, size: number): void {
	allBytes += size
	if (!isArmed || typeUrl !== typeUrls.route) return
	bytes += size
	if (times.has(index)) return
	times.set(index, performance.timeOrigin + performance.now())
	if (times.size < streams) return
	isArmed = false
	reply({ kind: 'arrived', arrivals: arrivalsOf([...times.values()]) })
}

function arrivalsOf(all: readonly number[]): Arrivals {
	return { firstMs: all[0] ?? Number.NaN, lastMs: all.at(-1) ?? Number.NaN, bytes }
}

function reply(message: LoadReply): void {
	process.send?.(message)
}
