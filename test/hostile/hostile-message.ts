// One message of somebody who means harm: to a discovery service, or to the metrics service. Some are nonsense, most are
// valid, and absurd where they stand.

import { limits } from '#base/limits.ts'
import type { Random } from '#base/random.ts'
import { typeUrls } from '#compile/compiled.ts'
import { clusterMetrics, metricsMessage, requestTimes, type Sent, uptime } from '../fixtures/metrics-message.ts'
import { encodeSaying, type NodeInit, type Say, type TypeName, type Variant } from '../fixtures/xds-dialogue.ts'
import { drawBelow, drawBytes, drawOne, drawWeighted, type Weighted } from './draw.ts'
import { drawOddField, filled, mutate, within } from './mutate.ts'

export type Scene = {
	readonly variant: Variant
	/** Names that are served. */
	readonly names: readonly string[]
	/** What the stream was told lately. */
	readonly heard: readonly { readonly typeUrl: string; readonly nonce: string; readonly version: string }[]
	readonly isFirst: boolean
	/** Who speaks. */
	readonly node: NodeInit
	/** Who he may say he is beside that. */
	readonly others: readonly NodeInit[]
}

type Draw = (random: Random, scene: Scene) => Uint8Array
const types = Object.keys(typeUrls) as TypeName[]
const oddTypes = [
	'',
	'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration',
	'x',
	'\u0000',
	'x'.repeat(5_000),
]

const requests: Weighted<Draw> = [
	[60, (random, scene) => drawSaying(random, scene)],
	[25, (random, scene) => mutate(drawSaying(random, scene), random)],
	[5, (random) => drawBytes(random, drawBelow(random, 300))],
	[5, (random) => drawOddField(random)],
	[5, (random, scene) => Buffer.concat([drawSaying(random, scene), drawOddField(random)])],
	[0.5, (random, { variant }) => within(variant === 'delta' ? 1 : 2, filled(random, drawSize(random)))],
	[0.5, (random) => filled(random, drawSize(random))],
]

/** To any of the discovery services. */
export function drawRequest(random: Random, scene: Scene): Uint8Array {
	return drawWeighted(random, requests)(random, scene)
}

/** Mostly small, at times all that a message may have. */
function drawSize(random: Random): number {
	return 2 ** (10 + drawBelow(random, 13)) - drawBelow(random, 5)
}

function drawSaying(random: Random, scene: Scene): Uint8Array {
	const { variant, heard } = scene
	const answered = heard.length > 0 && random() < 0.7 ? drawOne(random, heard) : null
	const say: Say = {
		type: drawOne(random, types),
		nonce: drawWeighted<string>(random, [
			[6, answered?.nonce ?? ''],
			[2, ''],
			[1, heard.length === 0 ? 'none' : drawOne(random, heard).nonce],
			[1, `Cluster-${drawBelow(random, 1000)}`],
		]),
		version: random() < 0.6 ? (answered?.version ?? '') : drawOne(random, ['', '1', 'x'.repeat(500)]),
		names: drawNames(random, scene),
		node: drawNode(random, scene),
		...(random() < 0.4 ? { refusal: drawRefusal(random, scene) } : {}),
		...(variant === 'delta' ? { remove: drawNames(random, scene), has: drawVersions(random, scene) } : {}),
	}
	const typeUrl = answered !== null && random() < 0.8 ? answered.typeUrl : typeUrls[say.type]
	return encodeSaying(variant, say, random() < 0.03 ? drawOne(random, oddTypes) : typeUrl)
}

function drawNames(random: Random, { names }: Scene): readonly string[] {
	const few = (make: () => string) => Array.from({ length: drawBelow(random, 6) }, make)
	return drawWeighted<() => readonly string[]>(random, [
		[40, () => []],
		[30, () => few(() => drawOne(random, names))],
		[10, () => ['*']],
		[10, () => few(() => drawOne(random, oddNames))],
		[5, () => names.slice(drawBelow(random, names.length))],
		[5, () => few(() => `n${drawBelow(random, 1000)}`)],
		[0.1, () => manyNames(random, limits.xdsNames + drawBelow(random, 3) - 1)],
		[0.02, () => ['x'.repeat(1_000_000)]],
		[0.02, () => manyNames(random, 3_000).map((name) => name.padEnd(1_000, 'x'))],
	])()
}

const oddNames = [
	'',
	'*',
	'**',
	'a\nb',
	'\u0000',
	'__proto__',
	'constructor',
	'\ud800',
	'../..',
	'xdstp://a/b/c',
	'é'.repeat(300),
]

function manyNames(random: Random, count: number): readonly string[] {
	const first = drawBelow(random, 100) * 10_000
	return Array.from({ length: count }, (_, index) => `many-${first + index}`)
}

function drawVersions(random: Random, { names }: Scene): Readonly<Record<string, string>> {
	if (random() < 0.7) return {}
	const told = Array.from({ length: drawBelow(random, 10) }, () =>
		drawOne(random, [...oddNames, drawOne(random, names)]),
	)
	return Object.fromEntries(told.map((name) => [name, drawOne(random, ['', '1', 'x'.repeat(100)])]))
}

function drawRefusal(random: Random, { names }: Scene): string {
	return drawWeighted<() => string>(random, [
		[3, () => 'no'],
		[3, () => `Error adding/updating cluster(s) ${drawOne(random, names)}: no, ${drawOne(random, names)}: no`],
		[1, () => ''],
		[1, () => names.map((name) => `${name}: no`).join(', ')],
		[1, () => drawOne(random, [':', ' :', 'a:', ',', '\n']).repeat(3_000)],
		[0.05, () => 'x'.repeat(1_000_000)],
	])()
}

function drawNode(random: Random, { isFirst, node, others }: Scene): NodeInit | null {
	if (isFirst) return random() < 0.9 ? node : drawOne(random, others)
	return drawWeighted(random, [
		[20, null],
		[2, node],
		[0.3, drawOne(random, others)],
	])
}

/** To the metrics service. */
export function drawMetrics(random: Random, scene: Scene): Uint8Array {
	return drawWeighted<() => Uint8Array>(random, [
		[60, () => drawFlush(random, scene)],
		[30, () => mutate(drawFlush(random, scene), random)],
		[5, () => drawBytes(random, drawBelow(random, 300))],
		[5, () => Buffer.concat([drawFlush(random, scene), drawOddField(random)])],
		[0.2, () => within(2, filled(random, drawSize(random)))],
		[0.2, () => within(2, within(4, filled(random, drawSize(random))))],
	])()
}

const counts = [0, 1, 5, -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]

function drawFlush(random: Random, scene: Scene): Uint8Array {
	const clusters = Array.from({ length: drawBelow(random, 8) }, () => drawOne(random, [...oddNames, ...scene.names]))
	const value = () => drawOne(random, counts)
	const metrics: Sent[] = clusters.flatMap((cluster) => [
		...clusterMetrics(cluster, {
			upstream_rq_completed: value(),
			upstream_rq_5xx: value(),
			membership_healthy: value(),
		}),
		requestTimes(cluster, { samples: drawBelow(random, 9), edgesMs: [5, 1, value()], atMost: [9, 1, 0] }),
	])
	const prefix = `egress.${drawBelow(random, 100)}`
	const unrouted = { name: 'http.no_route', labels: { 'envoy.http_conn_manager_prefix': prefix }, value: value() }
	const node = drawNode(random, scene)
	const instance = (node?.metadata as { sluice?: { instance?: string } } | undefined)?.sluice?.instance
	return metricsMessage({
		atMs: drawOne(random, [0, 1, 1_795_408_159_135, -1, drawBelow(random, 10_000)]),
		metrics: [...metrics, unrouted, uptime(drawBelow(random, 100))],
		...(node === null ? {} : { nodeId: node.id ?? '' }),
		...(instance === undefined ? {} : { instance }),
	})
}
