// The load client, a process of its own: N proxies, each a connection. The bench talks to it over the IPC channel.
import { createSecureContext, type SecureContext } from 'node:tls'
import { typeUrls } from '#compile/compiled.ts'
import type { Issued } from '../../test/fixtures/certificates.ts'
import { type Clusters, openMetrics, playFlushes, requestsPerFlush } from '../telemetry/played-flush.ts'
import type { Credentials } from './credentials.ts'
import { type Http2Call, type Http2Connection, openConnection } from './http2-call.ts'
import { type Identity, identityNames, identityOf, nodeOf } from './identity.ts'
import type { Arrivals, LoadCommand, LoadReply } from './load-messages.ts'
import { openLoadStream, requestsOf } from './load-stream.ts'

/** Proxies that may be starting at a time: a fleet does not start at once. */
const rampStreams = 64
/** Envoy's, for the first attempt. */
const retryMs = 500

type Fleet = Extract<LoadCommand, { kind: 'open' }>

let fleet: Fleet | null = null
const calls: Http2Call[] = []
const flushes: ((moves: number) => void)[] = []
/** How often all did. */
let flushed = 0
/** Since all came, or came again. */
let allBytes = 0
/** Of the round that is under way: when each proxy was told, and how much all were sent. */
let times = new Map<number, number>()
let bytes = 0
let isArmed = false

process.on('message', (command: LoadCommand) => {
	switch (command.kind) {
		case 'open':
			fleet = command
			return open(command, 'first')
		case 'reconnect':
			for (const call of calls.splice(0)) call.close()
			if (fleet !== null) open(fleet, 'again')
			return
		case 'count':
			return reply({ kind: 'counted', bytes: allBytes })
		case 'flush':
			for (const flush of flushes) flush(flushed)
			reply({
				kind: 'flushed',
				requests: flushed * flushes.length * requestsPerFlush.stable,
				messages: (flushed + 2) * flushes.length,
			})
			flushed += 1
			return
		case 'arm':
			times = new Map()
			bytes = 0
			isArmed = true
			return reply({ kind: 'armed' })
	}
})
process.on('disconnect', () => process.exit(0))

function open({ port, variant, count, held, reported, credentials }: Fleet, comes: 'first' | 'again'): void {
	const requests = new Map(identityNames.map((identity) => [identity, requestsOf(variant, held[identity])]))
	const contexts = credentials === null ? null : contextsOf(credentials)
	let opened = 0
	let ready = 0
	const wasReady = new Set<number>()
	allBytes = 0

	function openNext(): void {
		if (opened === count) return
		opened += 1
		start(opened - 1)
	}

	function start(index: number): void {
		const ofIdentity = requests.get(identityOf(index))
		if (ofIdentity === undefined) return
		const connection = openConnection({
			port,
			tls: contexts?.get(identityOf(index)) ?? null,
			onEnd(why) {
				// Where too many come at once some are turned away, and try again, as Envoy does.
				if (comes === 'again' || credentials !== null) setTimeout(() => start(index), Math.random() * retryMs)
				else reply({ kind: 'failed', why: `proxy ${index}: ${why}` })
			},
		})
		calls[index] = openLoadStream({
			connection,
			variant,
			node: nodeOf(index),
			requests: ofIdentity,
			comes,
			onReady() {
				if (reported !== null) flushes.push(flusherOf(connection, index, reported))
				if (wasReady.has(index)) return
				wasReady.add(index)
				ready += 1
				if (ready === count) reply({ kind: 'opened', bytes: allBytes })
				else openNext()
			},
			onResponse: (typeUrl, size) => note(index, typeUrl, size),
		})
	}

	const starting = comes === 'first' ? rampStreams : count
	for (let started = 0; started < starting; started += 1) openNext()
}

function contextsOf({ authority, ofProxies }: Credentials): ReadonlyMap<Identity, SecureContext> {
	const contextOf = ({ chain, privateKey }: Issued) =>
		createSecureContext({ ca: authority, cert: chain, key: privateKey })
	return new Map(identityNames.map((identity) => [identity, contextOf(ofProxies[identity])]))
}

function flusherOf(connection: Http2Connection, index: number, reported: Clusters): (moves: number) => void {
	const call = openMetrics(connection, nodeOf(index))
	const played = playFlushes(index, reported)
	return (moves) => call.send(played.at(moves, Date.now()))
}

function note(index: number, typeUrl: string, size: number): void {
	allBytes += size
	if (!isArmed || typeUrl !== typeUrls.route) return
	bytes += size
	if (times.has(index)) return
	times.set(index, performance.timeOrigin + performance.now())
	if (times.size < (fleet?.count ?? 0)) return
	isArmed = false
	reply({ kind: 'arrived', arrivals: arrivalsOf([...times.values()]) })
}

function arrivalsOf(all: readonly number[]): Arrivals {
	return { firstMs: all[0] ?? Number.NaN, lastMs: all.at(-1) ?? Number.NaN, bytes }
}

function reply(message: LoadReply): void {
	process.send?.(message)
}
