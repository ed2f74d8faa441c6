import { unreachable } from '#base/assert.ts'
import type { Capture, SluiceNodeMetadata } from '#compile/compiled.ts'

/** What the daemon has to know of a proxy beside its identity, in the form in which the proxy tells it. */
export function nodeMetadata(instance: string, capture: Capture): SluiceNodeMetadata {
	switch (capture.mode) {
		case 'intercept':
			return { instance, capture: 'intercept' }
		case 'explicit': {
			const { bind, egressPort, app } = capture
			return { instance, capture: 'explicit', bind, egressPort, app: addressText(app.address, app.port) }
		}
		default:
			return unreachable(capture)
	}
}

/** `127.0.0.1`, `127.0.0.1:8080`, `::1`, `[::1]:8080`. */
function addressText(address: string, port: number | null): string {
	if (port === null) return address
	return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
