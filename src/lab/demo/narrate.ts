import type { JournalTold } from './daemon-api.ts'

/** A record of the journal in a sentence for the demo, or null where it says nothing new. */
export function narrate({ event, rollout, reason, numbers }: JournalTold): string | null {
	switch (event) {
		case 'revision.accepted':
			return `sluice: commit ${shortCommit(String(numbers.revision))} is read and valid: ${reason}`
		case 'revision.refused':
			return `sluice: commit ${shortCommit(String(numbers.revision))} is refused: ${reason}`
		case 'mesh.applied':
			return `sluice: applied: ${reason}`
		case 'rollout.started':
			return `sluice: rollout ${rollout} starts, ${reason}`
		case 'rollout.advanced':
			return `sluice: ${reason}: ${numbers.split}`
		case 'rollout.held':
			return `sluice: held: ${reason}`
		case 'rollout.rollingBack':
			return `sluice: GOES BACK from ${numbers.from} to ${numbers.to}: ${reason}`
		case 'rollout.rolledBack':
			return `sluice: rolled back: ${reason}`
		case 'rollout.succeeded':
			return `sluice: rollout ${rollout} has succeeded: ${reason}`
		default:
			return event.startsWith('rollout.') ? `sluice: ${event}: ${reason}` : null
	}
}

export function shortCommit(id: string): string {
	return id.slice(0, 7)
}
