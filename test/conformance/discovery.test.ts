import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { openDiscovery } from '#discovery/discovery.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { createFakeDiscovery } from '../fakes/fake-discovery.ts'
import { createScriptedDirectory } from '../fakes/scripted-directory.ts'
import { describeDiscovery } from './discovery.ts'

/** Time that runs fast: the pauses are long for a test, and what is waited for is real. */
const fastClock: Clock = {
	...systemClock,
	setTimer: (delayMs, fire) => systemClock.setTimer(delayMs / 20, fire),
}

describeDiscovery('of this machine', async (changed) => {
	const folder = makeTempDirectory('discovery')
	const directory = createScriptedDirectory()
	const certificates = join(folder.path, 'certificates')
	mkdirSync(certificates)
	const discovery = await openDiscovery({
		stateDirectory: folder.path,
		certificates,
		clock: fastClock,
		random: () => 0.5,
		log: silentLog,
		changed,
		directory,
	})
	return {
		discovery,
		putInstances: (query, addresses) => directory.answer(query, addresses),
		putSecret(name, { chain, privateKey }) {
			mkdirSync(join(certificates, name), { recursive: true })
			writeFileSync(join(certificates, name, 'tls.crt'), chain)
			writeFileSync(join(certificates, name, 'tls.key'), privateKey)
		},
		async dispose() {
			await discovery.close()
			folder.remove()
		},
	}
})

describeDiscovery('fake', async (changed) => {
	const discovery = createFakeDiscovery(changed)
	return {
		discovery,
		putInstances: (query, addresses) =>
			discovery.putEndpoints(
				query,
				addresses.map((ipv4) => ({ ipv4, ipv6: null, zone: '' })),
			),
		putSecret: (name, { chain, privateKey }) =>
			discovery.putSecret(name, { hash: chain, certificate: { chain, privateKey }, authorities: null }),
		async dispose() {},
	}
})
