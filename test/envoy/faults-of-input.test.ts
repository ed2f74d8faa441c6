// What a commit may get wrong, through the daemon itself: it is refused with code, place and way out, nobody is sent
// anything, whoever connects gets the last good version, and the next good commit is taken by itself.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
	expectRefused,
	type Finding,
	goodRoute,
	mend,
	routeFile,
	servedNow,
	type WatchedDaemon,
	watchDaemon,
} from './fixtures/watched-daemon.ts'

let daemon: WatchedDaemon
beforeAll(async () => {
	daemon = await watchDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

type Fault = Finding & { readonly change: (route: string) => string }

const hostile = (unit: string, count: number) => `a: [${unit.repeat(count)}]`

const faults: Readonly<Record<string, Fault>> = {
	'a syntax error': {
		change: (route) => route.replace('weight: 100}', 'weight: 100'),
		code: 'SL0102',
		place: `${routeFile}:11:9`,
		message: 'the YAML cannot be parsed: deficient indentation',
		hint: null,
	},
	'an unknown field': {
		change: (route) => route.replace('timeout:', 'timeouts:'),
		code: 'SL0204',
		place: `${routeFile}:7:5`,
		message: 'spec.http2Route has no field called "timeouts"',
		hint: 'did you mean "timeout"?',
	},
	'a dangling reference': {
		change: (route) => route.replace('virtualNode: serviceBv2', 'virtualNode: serviceBv3'),
		code: 'SL0301',
		place: `${routeFile}:11:25`,
		message: 'the virtual node "serviceBv3" is not declared',
		hint: 'did you mean "serviceBv2"?',
	},
	'all-zero weights': {
		change: (route) => route.replace('weight: 100', 'weight: 0'),
		code: 'SL0211',
		place: `${routeFile}:9:7`,
		message: 'all weights are 0: the route would answer nothing',
		hint: 'give at least one target a weight above 0',
	},
	'a regular expression that RE2 refuses': {
		change: (route) => route.replace('{prefix: /}', "{path: {regex: '/(?=api)'}}"),
		code: 'SL0210',
		place: `${routeFile}:6:27`,
		message: 'RE2 does not accept the regular expression: invalid or unsupported Perl syntax: `(?=`',
		hint: 'RE2 has no look-ahead, look-behind or back reference',
	},
	'1 MB of {}, in a file': {
		change: () => hostile('{},', 350_000),
		code: 'SL0005',
		place: routeFile,
		message: '1050005 bytes; a file may have 262144',
		hint: 'split it: any number of files is read',
	},
}

test.for(Object.entries(faults))('%s', async ([name, { change, ...finding }]) => {
	const { repository, sluice } = daemon
	const from = sluice.lines.length
	const commit = await repository.commit(name, { [routeFile]: change(goodRoute()) })
	sluice.look()
	await sluice.logged('revision.refused', from)
	await expectRefused(daemon, commit, finding)
	await mend(daemon)
})

describe('1 MB of {}, in files that are just small enough', () => {
	const files = ['1', '2', '3', '4', '5'].map((name) => `hostile-${name}.yaml`)
	const edit = (content: string | null) => Object.fromEntries(files.map((file) => [file, content]))

	/** Asks again and again until told to stop; the times of the answers. */
	async function keepAsking(ask: () => Promise<unknown>, signal: AbortSignal): Promise<number[]> {
		const answeredMs: number[] = []
		while (!signal.aborted) {
			await ask()
			answeredMs.push(Date.now())
		}
		return answeredMs
	}

	test('are refused, while xDS and HTTP go on answering', async () => {
		const { repository, sluice } = daemon
		const from = sluice.lines.length
		const commit = await repository.commit('Hostile', edit(hostile('{},', 80_000)))
		const reading = new AbortController()
		const asking = [() => sluice.status(), () => servedNow(sluice)].map((ask) => keepAsking(ask, reading.signal))
		sluice.look()
		const read = await sluice.logged('revision.read', from)
		await sluice.logged('revision.refused', from)
		reading.abort()
		const endMs = Date.parse(read.time)
		const during = (await Promise.all(asking)).map(
			(answeredMs) => answeredMs.filter((ms) => ms < endMs && ms > endMs - Number(read.tookMs)).length,
		)
		expect(Math.min(...during), 'answers over HTTP and xDS').toBeGreaterThan(10)
		await expectRefused(daemon, commit, {
			code: 'SL0109',
			place: 'hostile-1.yaml:1:1',
			message: 'the document has no apiVersion',
			hint: 'every document of a mesh begins with apiVersion: sluice/v1, kind and metadata; keep other YAML in another folder',
		})
		await mend(daemon, edit(null))
	})
})
