import type { Clock, Timer } from '#base/clock.ts'

/** Looks at something that changes without saying so, one look after the other. */
export type RepeatedLook = {
	/** Looks now. Resolves when it has looked. */
	look(): Promise<void>
	/** Looks no more. Resolves when the last look has ended. */
	close(): Promise<void>
}

export type RepeatedLookOptions = {
	readonly clock: Clock
	/** In how many ms the first look comes by itself. */
	readonly firstMs: number
	/**
	 * One look: gives in how many ms the next one is to come by itself. `isOpen` tells, after what was waited for, whether
	 * what was found still counts.
	 */
	readonly lookOnce: (isOpen: () => boolean) => Promise<number>
}

export function createRepeatedLook({ clock, firstMs, lookOnce }: RepeatedLookOptions): RepeatedLook {
	let timer: Timer = clock.setTimer(firstMs, () => void look())
	let looking: Promise<void> = Promise.resolve()
	let isOpen = true

	async function lookAndGoOn(): Promise<void> {
		const nextMs = await lookOnce(() => isOpen)
		if (!isOpen) return
		timer.cancel()
		timer = clock.setTimer(nextMs, () => void look())
	}

	function look(): Promise<void> {
		looking = looking.then(lookAndGoOn)
		return looking
	}

	return {
		look,
		async close() {
			isOpen = false
			timer.cancel()
			await looking
		},
	}
}
