import type { Clock, Timer } from '#base/clock.ts'

/** Groups that progress are told of with the next round of the loop, each once. */
export type Progress = {
	note(groupKey: string): void
	/** What has not been told is not. */
	stop(): void
}

export function createProgress({ clock, tell }: { clock: Clock; tell: (groupKey: string) => void }): Progress {
	const noted = new Set<string>()
	let timer: Timer | null = null
	return {
		note(groupKey) {
			noted.add(groupKey)
			timer ??= clock.setTimer(0, () => {
				timer = null
				const keys = [...noted]
				noted.clear()
				for (const key of keys) tell(key)
			})
		},
		stop: () => timer?.cancel(),
	}
}
