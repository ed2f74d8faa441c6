import type { ThresholdPort } from '#controller/ports.ts'

/** Nobody is asked for figures. */
export const noThresholds: ThresholdPort = { follow() {} }
