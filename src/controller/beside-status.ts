import { describeFront } from '#rollout/describe-front.ts'
import { describeMirror } from '#rollout/describe-mirror.ts'
import { frontOf } from '#rollout/front.ts'
import { mirrorOf } from '#rollout/mirror.ts'
import type { Rollout } from '#rollout/rollout.ts'

/** What goes to canaries beside their shares, as people are told of it. */
export type BesideStatus = {
	/** `beside`: its clusters are served, and nothing goes there · `routed`: it is in force. */
	readonly standing: 'beside' | 'routed'
	/** Which requests. */
	readonly text: string
}

export function frontStatusOf(rollout: Rollout): BesideStatus | null {
	const front = frontOf(rollout, rollout.lanes[0])
	return front === null ? null : { standing: front.standing, text: describeFront(front.matches) }
}

export function mirrorStatusOf(rollout: Rollout): BesideStatus | null {
	const mirror = mirrorOf(rollout, rollout.lanes[0])
	return mirror === null ? null : { standing: mirror.standing, text: describeMirror(mirror.copies) }
}
