import { defineConfig } from 'vitest/config'
import { createReporter } from './test/reporter.ts'

const isDeep = process.env.SLUICE_DEPTH === 'deep'
const minute = 60_000
const timeout = (ms: number) => {
	const bound = isDeep ? 60 * minute : ms
	return { testTimeout: bound, hookTimeout: bound }
}

/** Tests that start real programs: Envoy, npm, a browser. They run after the others, so that nothing starves them. */
const withRealParts = ['test/envoy/**/*.test.ts', 'test/browser/**/*.test.ts', 'test/packaging.test.ts']

/** What is said of the wire holds whatever speaks HTTP/2 below it. */
const overTheWire = [
	'test/conformance/xds-*.test.ts',
	'test/hostile/xds-*.test.ts',
	'test/unit/xds/admission.test.ts',
	'test/unit/xds/identity-tokens.test.ts',
	'test/unit/xds/server.test.ts',
	'test/unit/xds/transport.test.ts',
]

export default defineConfig({
	test: {
		provide: { xdsEngine: 'http2' },
		reporters: [createReporter()],
		// A test marked `only` fails the run, here as in CI.
		allowOnly: false,
		maxWorkers: 2,
		projects: [
			{
				extends: true,
				test: {
					name: 'code',
					include: ['test/**/*.test.ts'],
					exclude: withRealParts,
					setupFiles: ['test/setup/pure.ts'],
					sequence: { groupOrder: 0 },
					// What takes a second alone takes half a minute on a machine that others load too.
					...timeout(2 * minute),
				},
			},
			{
				extends: true,
				test: {
					name: 'grpc-js',
					include: overTheWire,
					provide: { xdsEngine: 'grpc-js' },
					setupFiles: ['test/setup/pure.ts'],
					sequence: { groupOrder: 0 },
					...timeout(2 * minute),
				},
			},
			{
				extends: true,
				test: {
					name: 'real',
					include: withRealParts,
					sequence: { groupOrder: 1 },
					// They wait for Envoys more than they work.
					maxWorkers: 3,
					...timeout(2 * minute),
				},
			},
		],
	},
})
