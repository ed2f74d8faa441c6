// `fleet-child.ts PORT COUNT`: N proxies, each with a connection on which it is served and pushes its counters. Their
// flushes are spread over the interval. Prints where it stands when it is asked to, as JSON.
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Http2Call, openConnection } from '../xds/http2-call.ts'
import { type Held, openLoadStream, requestsOf } from '../xds/load-stream.ts'
import { obeyLines } from '../xds/obey-lines.ts'
import { clusters, nodeOfProxy } from './fleet.ts'
import { openMetrics, type PlayedFlush, playFlushes, requestsPerFlush } from './played-flush.ts'

const [port = 0, count = 0] = process.argv.slice(2).map(Number)
/** Proxies that may be starting at a time: a fleet does not start at once. */
const rampStreams = 64
const tickMs = 10

type Fact = Readonly<Record<string, number>>
type Flushing = { readonly call: Http2Call; readonly played: PlayedFlush; moves: number }

const flushing: Flushing[] = []
let opened = 0
/** Before the first order nothing is flushed: a fleet of thousands takes a while to come. */
let intervalMs = Number.POSITIVE_INFINITY
let paceFromMs = performance.now()
let pacedFlushes = 0
let isMoving = false
/** Since counters move, or stand. */
let flushes = 0
let late = 0
let moves = 0

/** What to ask for: all route configurations; of endpoints there are none, and it is said that there are none. */
const everything: Held = {
	...(Object.fromEntries(Object.values(typeUrls).map((type) => [type, { version: '', resources: {} }])) as Record<
		TypeUrl,
		Held[TypeUrl]
	>),
	[typeUrls.endpoint]: { version: '', resources: { none: '' } },
	[typeUrls.route]: { version: '', resources: { '*': '' } },
}
const requests = requestsOf('delta', everything)

function openNext(): void {
	if (opened === count) return
	const index = opened
	opened += 1
	const node = nodeOfProxy(index)
	const connection = openConnection({ port, tls: null, onEnd: (why) => fail(`proxy ${index}: ${why}`) })
	openLoadStream({
		connection,
		variant: 'delta',
		node,
		requests,
		comes: 'first',
		onResponse() {},
		onReady() {
			flushing.push({ call: openMetrics(connection, node), played: playFlushes(index, clusters), moves: 0 })
			openNext()
		},
	})
}

function tick(): void {
	const due = Math.floor(((performance.now() - paceFromMs) / intervalMs) * flushing.length)
	const wallMs = Date.now()
	// What this process came too late for is left out, as it would be by proxies on machines of their own.
	pacedFlushes = Math.max(pacedFlushes, due - Math.ceil(flushing.length / 5))
	for (; pacedFlushes < due; pacedFlushes += 1) {
		const proxy = flushing[pacedFlushes % flushing.length]
		if (proxy !== undefined) flush(proxy, wallMs)
	}
}

function flush(proxy: Flushing, wallMs: number): void {
	// The server has no room for the last one yet: this one is left out.
	if (proxy.call.waiting() > 0) {
		late += 1
		return
	}
	if (isMoving) proxy.moves += 1
	if (isMoving) moves += 1
	flushes += 1
	proxy.call.send(proxy.played.at(proxy.moves, wallMs))
}

function pace(nextMs: number): Fact {
	intervalMs = nextMs
	paceFromMs = performance.now()
	pacedFlushes = 0
	return {}
}

/** Counters move from now on, or stand; what came before that. */
function moving(next: boolean): Fact {
	isMoving = next
	const told = { flushes, late, stable: moves * requestsPerFlush.stable, canary: moves * requestsPerFlush.canary }
	flushes = 0
	late = 0
	return told
}

function fail(why: string): void {
	process.stderr.write(`${why}\n`)
	process.exit(1)
}

for (let started = 0; started < rampStreams; started += 1) openNext()
setInterval(tick, tickMs)
obeyLines(port, {
	everySecond: () => pace(1_000),
	everyFiveSeconds: () => pace(5_000),
	move: () => moving(true),
	halt: () => moving(false),
	standing: () => ({ flushing: flushing.length }),
})
