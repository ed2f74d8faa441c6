// `served-child.ts SERVICES [ENGINE [CREDENTIALS]]`: what of the daemon serves, in a process of its own: the xDS server, and the
// publisher that compiles for each group. With credentials, a file, over mTLS.
// What comes before, from a commit to what is in force, is left out.
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { assert } from '#base/assert.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { engineNames, usualEngine } from '#base/xds-engine-name.ts'
import { createObservedFleet } from '#controller/observed-fleet.ts'
import { createPublisher } from '#controller/publish.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { createAdmission } from '#xds/admission.ts'
import { parseIdentityPatterns } from '#xds/identity-pattern.ts'
import { createXdsServer } from '#xds/server.ts'
import { type Credentials, uriPattern } from './credentials.ts'
import { changing, obeyLines } from './obey-lines.ts'
import { atStep, readFleetMesh } from './resources.ts'

const mesh = readFleetMesh(Number(process.argv[2]))
const engine = engineNames.find((name) => name === process.argv[3]) ?? usualEngine
const server = createXdsServer({
	engine,
	...(process.argv[4] === undefined ? {} : securedBy(JSON.parse(readFileSync(process.argv[4], 'utf8')))),
	clock: systemClock,
	log: silentLog,
	emit(event) {
		fleet.observe(event)
		if (event.kind === 'arrived') publisher.greet(event.proxy.group, event.proxy.groupKey)
	},
})
const fleet = createObservedFleet({ server, clock: systemClock, emit() {} })
const publisher = createPublisher({ fleet: fleet.port, log: silentLog, discovered: () => nothingDiscovered })
let round = 0

publisher.publish(atStep(mesh, round))
const listening = await server.listen('127.0.0.1:0')
assert(listening.ok, 'a free port of loopback can be listened at')
const delays = monitorEventLoopDelay({ resolution: 5 })
delays.enable()
obeyLines(listening.value.port, {
	change: changing(() => {
		round += 1
		publisher.publish(atStep(mesh, round))
	}),
	watch() {
		delays.reset()
		return standing()
	},
	standing,
})

function securedBy({ ofServer, authority }: Credentials) {
	const patterns = parseIdentityPatterns(uriPattern)
	assert(patterns.ok, 'the pattern is one')
	return {
		certificate: { ...ofServer, clientAuthorities: authority },
		admission: createAdmission({ kind: 'certificate', patterns: patterns.value }),
	}
}

/** How many proxies hold all that they are served, and how long the loop was held up since `watch`. */
function standing() {
	const views = [...server.fleet().values()]
	const current = views.map(({ types }) => Math.min(...Object.values(types).map((type) => type.current)))
	return { current: current.reduce((sum, each) => sum + each, 0), delayP99Ms: delays.percentile(99) / 1e6 }
}
