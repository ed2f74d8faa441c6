// The walls of src/: which room may import what, and what the pure rooms may not touch. This is the one table;
// `npm run generate:walls` writes it to biome.walls.json, which biome.json extends, so the editor and `npm run lint` hold
// it, and a test compares the two. A new contract file, a new room or a new exception is one line here.

/**
 * A folder of src/. The order of the table is the direction of data: a room imports base/, its own files and the
 * contracts of the rooms above it, and nothing else but what `also` lists.
 */
export type Room = {
	readonly name: string
	/** What the room hands on to those below it: files of its folder. */
	readonly contracts: readonly string[]
	/** No clock, no chance, no `node:`, no promise: same input, same bytes. */
	readonly purity: 'pure' | 'edge'
	/** Exceptions, as import patterns. */
	readonly also: readonly string[]
	/** Whether the room speaks in Envoy's generated messages. */
	readonly protos: 'all' | 'none' | readonly string[]
}

const wholeRooms = (names: readonly string[]): string[] => names.map((name) => `#${name}/**`)

const stages: readonly Room[] = [
	{ name: 'source', contracts: ['revision.ts'], purity: 'edge', also: [], protos: 'none' },
	{
		name: 'mesh',
		contracts: ['mesh.ts', 'proxy-spec.ts', 'route-spec.ts', 'rollout-policy.ts', 'hook-spec.ts'],
		purity: 'pure',
		also: [],
		protos: 'none',
	},
	{ name: 'discovery', contracts: ['discovered.ts'], purity: 'edge', also: [], protos: 'none' },
	{ name: 'plan', contracts: ['plan.ts', 'split.ts'], purity: 'pure', also: [], protos: 'none' },
	{ name: 'guard', contracts: ['look.ts'], purity: 'pure', also: [], protos: 'none' },
	{
		name: 'rollout',
		contracts: ['rollout.ts', 'hook-state.ts', 'judged-look.ts', 'replay-looks.ts', 'effective-mesh.ts'],
		purity: 'pure',
		also: wholeRooms(['guard']),
		protos: 'none',
	},
	{ name: 'compile', contracts: ['compiled.ts'], purity: 'pure', also: [], protos: 'all' },
	{ name: 'snapshot', contracts: ['snapshot.ts'], purity: 'pure', also: [], protos: 'all' },
	{ name: 'explain', contracts: ['explained.ts'], purity: 'pure', also: [], protos: 'all' },
	{ name: 'xds', contracts: ['fleet-view.ts'], purity: 'edge', also: [], protos: 'all' },
	{ name: 'telemetry', contracts: ['flush.ts', 'measurement.ts'], purity: 'edge', also: [], protos: 'all' },
	{ name: 'hooks', contracts: ['hook-call.ts'], purity: 'edge', also: [], protos: 'none' },
	{ name: 'store', contracts: ['store.ts'], purity: 'edge', also: [], protos: 'none' },
]

const stageNames = stages.map((room) => room.name)

/** Every room of src/ but base/ (which imports nothing but itself) and proto/. */
export const rooms: readonly Room[] = [
	...stages,
	{
		name: 'controller',
		contracts: ['daemon.ts', 'face.ts', 'status.ts', 'commands.ts', 'preview.ts', 'explain-offline.ts'],
		purity: 'edge',
		also: wholeRooms(stageNames),
		protos: 'all',
	},
	{ name: 'api', contracts: ['api.ts'], purity: 'edge', also: [], protos: 'none' },
	{ name: 'lab', contracts: [], purity: 'edge', also: [], protos: 'none' },
	{ name: 'cli', contracts: [], purity: 'edge', also: wholeRooms(['lab']), protos: ['bootstrap*', 'bootstrap*/**'] },
]

/** Names of the rooms in which nothing but the arguments decides the result. */
export const pureRooms: readonly string[] = rooms.filter((room) => room.purity === 'pure').map((room) => room.name)

const deniedGlobals = [
	...['Date', 'performance', 'Intl', 'crypto', 'fetch', 'process', 'Buffer', 'console', 'require'],
	...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
	...['queueMicrotask', 'Promise', 'globalThis', 'global'],
]

const deniedProperties = [
	{ object: 'Math', property: 'random', message: 'A pure room takes chance as a parameter, or does without.' },
	{ property: 'localeCompare', message: 'Its order depends on the machine; use compareText.' },
	{ property: 'toLocaleString', message: 'Its text depends on the machine.' },
]

/** Biome overrides that hold the walls, in the order of the table. */
export function wallOverrides(): unknown[] {
	const base = override(['src/base/**'], importRule(['!#base/**'], 'base/ imports nothing but itself.', 'edge', []))
	return [base, ...rooms.flatMap(roomOverrides), purityOverride()]
}

function roomOverrides(room: Room, index: number): unknown[] {
	const above = rooms.slice(0, index)
	const contracts = above.flatMap(({ name, contracts }) => contracts.map((file) => `#${name}/${file}`))
	const allowed = ['#base/**', `#${room.name}/**`, ...contracts, ...room.also]
	const withProtos = [...allowed, '#proto/gen/**']
	const others = [...rooms.map(({ name }) => name), 'base', 'proto/gen', 'src'].filter((name) => name !== room.name)
	const message = `${room.name}/ may import base/, its own files and the contracts of the rooms before it.`
	const rule = (list: readonly string[]) =>
		importRule(
			list.map((pattern) => `!${pattern}`),
			message,
			room.purity,
			others,
		)
	const whole = override([`src/${room.name}/**`], rule(room.protos === 'all' ? withProtos : allowed))
	if (typeof room.protos === 'string') return [whole]
	return [
		whole,
		override(
			room.protos.map((file) => `src/${room.name}/${file}`),
			rule(withProtos),
		),
	]
}

function importRule(allowed: readonly string[], message: string, purity: Room['purity'], others: readonly string[]) {
	const climbing = {
		group: [`**/../{${others.join(',')}}/**`],
		message: 'Across rooms imports are written #room/file.ts.',
	}
	const patterns = [
		{ group: ['#*', '#*/**', ...allowed], message },
		...(others.length > 0 ? [climbing] : []),
		...(purity === 'pure' ? [{ group: ['node:*', 'node:*/**'], message: 'A pure room imports nothing of Node.' }] : []),
	]
	return { style: { noRestrictedImports: { level: 'error', options: { patterns } } } }
}

function purityOverride(): unknown {
	const message = 'A pure room knows neither time, chance, promises nor the machine.'
	const globals = Object.fromEntries(deniedGlobals.map((name) => [name, message]))
	const rules = {
		style: { noRestrictedGlobals: { level: 'error', options: { deniedGlobals: globals } } },
		nursery: { noJsRestrictedProperties: { level: 'error', options: { entries: deniedProperties } } },
	}
	return override(
		pureRooms.map((name) => `src/${name}/**`),
		rules,
	)
}

function override(includes: readonly string[], rules: unknown): unknown {
	return { includes, linter: { rules } }
}
