import type { Log } from '#base/log.ts'
import type { Trouble } from './discovered.ts'

export type TroubleAbout = { readonly subject: string; readonly log: Log; readonly wallMs: number }

/**
 * The trouble from now on, when a look has found this; null: none. What is another one than before is told, and that it is
 * over.
 */
export function toldTrouble(
	before: Trouble | null,
	finding: Pick<Trouble, 'code' | 'message'> | null,
	{ subject, log, wallMs }: TroubleAbout,
): Trouble | null {
	if (finding === null) {
		if (before !== null) log.info('discovery.recovered', { subject })
		return null
	}
	if (before?.code === finding.code && before.message === finding.message) return before
	log.warn('discovery.trouble', { ...finding, subject })
	return { ...finding, subject, sinceWallMs: wallMs }
}
