import { type Finding, type Path, warningAt } from '../finding.ts'
import type { VirtualNodeListener } from '../manifest.generated.ts'
import type { Timeout } from '../route-spec.ts'
import { readTimeout } from './timeout.ts'

/** Under whatever protocol it is written, it is the listener's; a port that speaks tcp has no requests to limit. */
export function readListenerTimeout({ portMapping, timeout }: VirtualNodeListener): Timeout {
	const read = readTimeout(timeout?.http ?? timeout?.http2 ?? timeout?.grpc ?? timeout?.tcp)
	return portMapping.protocol === 'tcp' ? { ...read, perRequestMs: null } : read
}

/** `path`: of the listener. */
export function checkListenerTimeout(
	path: Path,
	{ portMapping: { port, protocol }, timeout }: VirtualNodeListener,
): readonly Finding[] {
	const [written] = Object.keys(timeout ?? {})
	if (written === undefined || written === protocol) return []
	const message = `the timeout is written under ${written}, and port ${port} speaks ${protocol}; it is read as ${protocol}`
	return [{ ...warningAt([...path, 'timeout', written], 'SL0216', message, `write it under ${protocol}`), at: 'key' }]
}
