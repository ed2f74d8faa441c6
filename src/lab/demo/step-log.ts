import { type Mark, markAtWall } from '../mark.ts'
import type { JournalTold, RolloutStatus } from './daemon-api.ts'

/** One step of a rollout, and the time in which all proxies were known to hold exactly its shares. */
export type StepRecord = {
	readonly rollout: string
	/** From 1. */
	readonly step: number
	readonly steps: number
	/** The share of the rising targets, in ppm. */
	readonly canarySharePpm: number
	/** The status said that every connected proxy had confirmed it: at the latest then they had. */
	readonly from: Mark
	/** The next decision, which is taken before anything of it is published. Null while it is in force. */
	readonly until: Mark | null
}

/** What of a rollout's status is looked at. */
export type SeenRollout = Pick<RolloutStatus, 'id' | 'phase' | 'step' | 'steps' | 'confirmed' | 'endedAt'>

/** When which step was in force, put together from what the daemon says and with both ends on the safe side. */
export type StepLog = {
	/** @param seen when the answer had arrived */
	noteStatus(rollouts: readonly SeenRollout[], seen: Mark): void
	noteEntry(entry: JournalTold): void
	/** Oldest first. */
	records(): readonly StepRecord[]
	find(rollout: string, step: number): StepRecord | null
}

const endings = new Set(['rollout.advanced', 'rollout.rollingBack', 'rollout.succeeded', 'rollout.retargeted'])

export function createStepLog(): StepLog {
	const records: StepRecord[] = []
	const find = (rollout: string, step: number) =>
		records.find((record) => record.rollout === rollout && record.step === step) ?? null

	return {
		noteStatus(rollouts, seen) {
			for (const { id, step, steps, confirmed, phase, endedAt } of rollouts) {
				const share = steps[step - 1]?.canarySharePpm
				const isInForce = endedAt === null && phase !== 'rollingBack' && confirmed
				if (!isInForce || share === undefined || find(id, step) !== null) continue
				records.push({ rollout: id, step, steps: steps.length, canarySharePpm: share, from: seen, until: null })
			}
		},
		noteEntry({ event, rollout, time }) {
			if (!endings.has(event)) return
			const until = markAtWall(Date.parse(time))
			records.forEach((record, index) => {
				if (record.rollout === rollout && record.until === null && record.from.wallMs < until.wallMs)
					records[index] = { ...record, until }
			})
		},
		records: () => records,
		find,
	}
}
