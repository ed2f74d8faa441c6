import type { Clock, Timer } from '#base/clock.ts'

type Due = { readonly atMs: number; readonly order: number; readonly fire: () => void; cancelled: boolean }

/** Time that passes only when the simulation says so: the next timer is the next moment. */
export type VirtualClock = Clock & {
	/** Fires everything due until `atMs`, in order of time then of asking; awaits `settle` after each. */
	runUntil(atMs: number, settle: () => Promise<void>): Promise<void>
	/** Moves the wall clock alone. */
	jumpWall(byMs: number): void
	readonly fired: number
}

export function createVirtualClock(startWallMs: number): VirtualClock {
	let nowMs = 0
	let wallOffsetMs = startWallMs
	let order = 0
	let fired = 0
	const heap: Due[] = []

	function setTimer(delayMs: number, fire: () => void): Timer {
		const due: Due = { atMs: nowMs + Math.max(0, delayMs), order: order++, fire, cancelled: false }
		push(heap, due)
		return {
			cancel: () => {
				due.cancelled = true
			},
		}
	}

	return {
		monotonicMs: () => nowMs,
		wallMs: () => wallOffsetMs + nowMs,
		setTimer,
		get fired() {
			return fired
		},
		jumpWall: (byMs) => {
			wallOffsetMs += byMs
		},
		async runUntil(atMs, settle) {
			for (let next = heap[0]; next !== undefined && next.atMs <= atMs; next = heap[0]) {
				pop(heap)
				if (next.cancelled) continue
				nowMs = Math.max(nowMs, next.atMs)
				fired += 1
				next.fire()
				await settle()
			}
			nowMs = Math.max(nowMs, atMs)
		},
	}
}

function isBefore(left: Due, right: Due): boolean {
	return left.atMs === right.atMs ? left.order < right.order : left.atMs < right.atMs
}

function push(heap: Due[], due: Due): void {
	let index = heap.length
	heap.push(due)
	while (index > 0) {
		const parent = (index - 1) >> 1
		const above = heap[parent] as Due
		if (!isBefore(due, above)) break
		heap[index] = above
		index = parent
	}
	heap[index] = due
}

function pop(heap: Due[]): void {
	const last = heap.pop() as Due
	if (heap.length === 0) return
	let index = 0
	for (;;) {
		const left = 2 * index + 1
		if (left >= heap.length) break
		const right = left + 1
		const child = right < heap.length && isBefore(heap[right] as Due, heap[left] as Due) ? right : left
		if (!isBefore(heap[child] as Due, last)) break
		heap[index] = heap[child] as Due
		index = child
	}
	heap[index] = last
}
