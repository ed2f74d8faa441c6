import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { GuardParameters } from '#guard/look.ts'
import {
	addToDispersion,
	closeDispersionLook,
	createDispersion,
	type Dispersion,
	defaultPhi,
	isIdle,
	phiOf,
} from '#guard/over-dispersion.ts'
import type { Flush } from '#telemetry/flush.ts'

// What is remembered of all clusters that have traffic, so that φ is known when a rollout begins. Volatile, and bounded:
// a daemon that has just started, or has more clusters than that, takes the default.

export type Dispersions = {
	takeFlush(flush: Flush): void
	/** Ends a look of all clusters. */
	closeLook(): void
	/** The largest of what these clusters' errors say; the default where any of them has not been watched for long. */
	phiOf(clusters: readonly string[]): GuardParameters['phi']
	forget(proxyKey: string): void
}

export function createDispersions(): Dispersions {
	const memories = new Map<string, Dispersion>()
	const halves = new Map<string, 0 | 1>()

	function halfOf(proxyKey: string): 0 | 1 {
		const known = halves.get(proxyKey)
		if (known !== undefined) return known
		const half = Number.parseInt(sha256Hex(proxyKey).slice(0, 2), 16) % 2 === 0 ? 0 : 1
		// A last flush may come after its proxy has left: nobody would forget it then. They are found out anew.
		if (halves.size >= limits.xdsProxiesRemembered) halves.clear()
		halves.set(proxyKey, half)
		return half
	}

	function memoryOf(cluster: string): Dispersion | null {
		const known = memories.get(cluster)
		if (known !== undefined) return known
		if (memories.size >= limits.dispersionClusters) return null
		const memory = createDispersion()
		memories.set(cluster, memory)
		return memory
	}

	return {
		takeFlush({ proxy, counted, clusters }) {
			if (!counted) return
			for (const [name, { completed, errors }] of clusters) {
				if (completed === 0 && errors === 0) continue
				const memory = memoryOf(name)
				if (memory !== null) addToDispersion(memory, halfOf(proxy), { requests: completed, errors })
			}
		},
		closeLook() {
			for (const [cluster, memory] of memories) {
				closeDispersionLook(memory)
				if (isIdle(memory)) memories.delete(cluster)
			}
		},
		phiOf(clusters) {
			const found = clusters.map((cluster) => phiOf(memories.get(cluster) ?? createDispersion()))
			const unknown = found.some(({ source }) => source === 'default')
			return unknown
				? defaultPhi
				: found.reduce((most, phi) => (phi.value > most.value ? phi : most), found[0] ?? defaultPhi)
		},
		forget(proxyKey) {
			halves.delete(proxyKey)
		},
	}
}
