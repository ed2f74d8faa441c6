import type { Clock, Timer } from '#base/clock.ts'
import { compareText } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { createCertificates } from './certificates.ts'
import { createCloudMap } from './cloud-map.ts'
import { type Discovered, nothingDiscovered, type Trouble, type Wanted } from './discovered.ts'
import { createEndpointMemory } from './endpoint-memory.ts'
import type { InstanceDirectory } from './instance-directory.ts'
import { createLazyDirectory } from './lazy-directory.ts'

// What is served but never in Git: endpoints of Cloud Map, certificates of this machine. It looks for what it is told
// to, keeps what it found last, and says when that changed.

export type Discovery = {
	/** All that is known now. The same object until something changes. */
	current(): Discovered
	/** What to look for from now on. */
	follow(wanted: Wanted): void
	troubles(): readonly Trouble[]
	close(): Promise<void>
}

export type DiscoveryOptions = {
	readonly stateDirectory: string
	/** Folder of certificates and keys; null: none. */
	readonly certificates: string | null
	readonly clock: Clock
	readonly random: Random
	readonly log: Log
	/** `current` gives something else now. Changes that come together are told once. */
	readonly changed: () => void
	/** Whom to ask for instances; AWS when not given. */
	readonly directory?: InstanceDirectory
}

/** Resolves when it knows what the last run of the daemon knew of endpoints. */
export async function openDiscovery(options: DiscoveryOptions): Promise<Discovery> {
	const { stateDirectory, clock, random, log, directory = createLazyDirectory() } = options
	const memory = createEndpointMemory({ directory: stateDirectory, clock, log })
	const remembered = await memory.load()
	let known: Discovered | null = null
	let telling: Timer | null = null

	function tellSoon(): void {
		known = null
		telling ??= clock.setTimer(limits.discoveryBatchMs, () => {
			telling = null
			options.changed()
		})
	}

	const cloudMap = createCloudMap({
		directory,
		clock,
		random,
		log,
		remembered,
		changed() {
			memory.save(cloudMap.endpoints())
			tellSoon()
		},
	})
	const certificates =
		options.certificates === null
			? null
			: createCertificates({ folder: options.certificates, clock, log, changed: tellSoon })

	return {
		current() {
			known ??= { endpoints: cloudMap.endpoints(), secrets: certificates?.secrets() ?? nothingDiscovered.secrets }
			return known
		},
		follow({ queries, secrets }) {
			cloudMap.follow(queries)
			certificates?.follow(secrets)
		},
		troubles() {
			const ofMemory = memory.trouble()
			return [
				...cloudMap.troubles(),
				...(certificates?.troubles() ?? []),
				...(ofMemory === null ? [] : [ofMemory]),
			].sort((left, right) => compareText(left.subject, right.subject))
		},
		async close() {
			telling?.cancel()
			cloudMap.close()
			await certificates?.close()
			await memory.close()
		},
	}
}
