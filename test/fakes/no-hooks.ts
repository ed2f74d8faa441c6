import type { HookPort } from '#controller/ports.ts'

/** Nobody is called. */
export const noHooks: HookPort = { follow() {} }
