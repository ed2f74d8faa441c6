import type { Condition } from '../explained.ts'

/** A condition of a route, and whether the request meets it. */
export type Judged = Condition & { readonly met: boolean }
