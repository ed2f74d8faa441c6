import type { Status } from '#controller/status.ts'

/** `until 2026-10-02T10:00:00.000Z by ada: INC-311`. */
export function describeExclusion({ until, actor, reason }: Status['excluded'][number]): string {
	return `${until === null ? 'until it is included' : `until ${until}`} by ${actor}: ${reason}`
}
