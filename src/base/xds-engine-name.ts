/** What can speak HTTP/2 and gRPC below the xDS server. */
export const engineNames = ['http2', 'grpc-js'] as const

export type EngineName = (typeof engineNames)[number]

/** Where none is said. */
export const usualEngine: EngineName = 'http2'
