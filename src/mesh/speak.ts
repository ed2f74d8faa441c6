import type { Protocol } from './route-spec.ts'

/**
 * Whether requests of one protocol can go to a listener of another. `strained`: Envoy can, and part of what is written
 * does not hold: towards tcp it speaks HTTP/1.1, and a TCP route passes bytes on to whatever it finds.
 */
export function canSpeak(protocol: Protocol, listener: Protocol): 'yes' | 'strained' | 'no' {
	if (protocol === listener) return 'yes'
	if (protocol === 'tcp') return 'strained'
	// gRPC needs HTTP/2 to the end.
	if (protocol === 'grpc') return listener === 'http2' ? 'yes' : 'no'
	return listener === 'tcp' ? 'strained' : 'yes'
}
