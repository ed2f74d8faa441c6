import { join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { SecretMaterial, Trouble } from './discovered.ts'
import { readSecretTexts } from './read-secret-texts.ts'
import { createSecretEntry, describeMissing, type SecretAbout, type SecretEntry, takeTexts } from './secret-entry.ts'

// Certificates and keys from a folder of the daemon's machine, laid out as Kubernetes mounts secrets:
// FOLDER/NAME/{tls.crt,tls.key,ca.crt}. A watcher only says when to look, and a slow clock looks in any case; what
// counts is what two looks in a row have found alike, so that a rotation that is half written is never taken.

export type Certificates = {
	/** These and no others. What is no longer wanted is kept for `discoveredKeptMs`: a way back may name it again. */
	follow(names: readonly string[]): void
	/** By name: the last good of each. */
	secrets(): ReadonlyMap<string, SecretMaterial>
	troubles(): readonly Trouble[]
	/** Looks now. Resolves when it has looked. */
	look(): Promise<void>
	close(): Promise<void>
}

export type CertificatesOptions = {
	readonly folder: string
	readonly clock: Clock
	readonly log: Log
	/** `secrets` gives something else now. */
	readonly changed: () => void
}

/** A name goes into a path: nothing that leads elsewhere. */
const folderName = /^(?!\.)[A-Za-z0-9._-]{1,253}$/

function aboutServed(name: string): SecretAbout {
	return { subject: `the secret ${name}`, missing: 'is not in the folder of certificates', refusal: () => null }
}

export function createCertificates({ folder, clock, log, changed }: CertificatesOptions): Certificates {
	const entries = new Map<string, SecretEntry>()
	let watcher: FSWatcher | null = null
	let timer: { readonly timer: Timer; readonly atMs: number } | null = null
	let looking: Promise<void> = Promise.resolve()
	let isOpen = true

	function lookWithin(delayMs: number): void {
		if (!isOpen) return
		const atMs = clock.monotonicMs() + delayMs
		if (timer !== null && timer.atMs <= atMs) return
		timer?.timer.cancel()
		timer = {
			atMs,
			timer: clock.setTimer(delayMs, () => {
				timer = null
				void look()
			}),
		}
	}

	function look(): Promise<void> {
		looking = looking.then(lookAtAll)
		return looking
	}

	async function lookAtAll(): Promise<void> {
		let isNew = false
		let isUnsure = false
		for (const entry of [...entries.values()]) {
			if (entry.unwantedSinceMs !== null && clock.monotonicMs() - entry.unwantedSinceMs > limits.discoveredKeptMs) {
				entries.delete(entry.name)
				continue
			}
			const outcome = await lookAt(entry)
			isNew ||= outcome === 'changed'
			isUnsure ||= outcome === 'unsure'
		}
		lookWithin(isUnsure ? limits.secretQuietMs : limits.secretPollMs)
		if (isNew && isOpen) changed()
	}

	async function lookAt(entry: SecretEntry) {
		const circumstances = { log, wallMs: clock.wallMs() }
		if (!folderName.test(entry.name)) return describeMissing(entry, 'has a name that is no folder name', circumstances)
		const texts = await readSecretTexts(join(folder, entry.name))
		return takeTexts(entry, texts, circumstances)
	}

	function startWatching(): void {
		// Links are not followed: Kubernetes swaps one, and that is seen where it lies.
		watcher = watch(folder, { ignoreInitial: true, followSymlinks: false, depth: 2 })
		const seen = () => lookWithin(limits.secretQuietMs)
		watcher.on('all', seen)
		watcher.on('ready', seen)
		watcher.on('error', (error) => {
			const message = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be watched'
			log.warn('discovery.watch.failed', { message })
		})
	}

	return {
		follow(names) {
			const wanted = new Set(names)
			for (const entry of entries.values())
				entry.unwantedSinceMs = wanted.has(entry.name) ? null : (entry.unwantedSinceMs ?? clock.monotonicMs())
			const added = [...wanted].filter((name) => !entries.has(name))
			if (added.length === 0 || !isOpen) return
			for (const name of added) entries.set(name, createSecretEntry(name, aboutServed(name)))
			if (watcher === null) startWatching()
			lookWithin(0)
		},
		secrets() {
			const known = [...entries.values()].flatMap(({ name, good }) =>
				good === null ? [] : [[name, good.material] as const],
			)
			return new Map(known)
		},
		troubles: () =>
			[...entries.values()].flatMap(({ trouble, unwantedSinceMs }) =>
				trouble === null || unwantedSinceMs !== null ? [] : [trouble],
			),
		look,
		async close() {
			isOpen = false
			timer?.timer.cancel()
			await watcher?.close()
			await looking
		},
	}
}
