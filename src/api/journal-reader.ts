import type { DaemonFace } from '#controller/face.ts'
import type { JournalRecord } from '#store/store.ts'

/** The journal from its end. The port reads forward only; sequences count from 1 without a gap, so the end is searched for. */
export type JournalReader = {
	/** Sequence of the newest record; 0 when there is none. */
	head(): Promise<number>
	/** Of the newest `count` records, those that `wanted` takes, oldest first. */
	newest(count: number, wanted: (record: JournalRecord) => boolean): Promise<readonly JournalRecord[]>
}

const pageRecords = 500

export function createJournalReader({ readJournal }: Pick<DaemonFace, 'readJournal'>): JournalReader {
	let known = 0

	async function exists(sequence: number): Promise<boolean> {
		return sequence === 0 || (await readJournal(sequence - 1, 1)).length > 0
	}

	async function head(): Promise<number> {
		let above = known + 1
		for (let stride = 1; await exists(above); stride *= 2) {
			known = above
			above += stride
		}
		while (above - known > 1) {
			const middle = known + Math.floor((above - known) / 2)
			if (await exists(middle)) known = middle
			else above = middle
		}
		return known
	}

	return {
		head,
		async newest(count, wanted) {
			const found: JournalRecord[] = []
			let after = Math.max(0, (await head()) - count)
			for (;;) {
				const page = await readJournal(after, pageRecords)
				found.push(...page.filter(wanted))
				const last = page.at(-1)
				if (last === undefined) return found
				after = last.sequence
			}
		},
	}
}
