import { unreachable } from '#base/assert.ts'
import type { SluiceNodeMetadata } from '#compile/compiled.ts'
import type { BootstrapOptions } from './bootstrap-options.ts'

/** What the daemon has to know of a proxy beside its identity, in the form in which the proxy tells it. */
export function nodeMetadata({ instance, capture, sdsSocket }: BootstrapOptions): SluiceNodeMetadata {
	const sds = sdsSocket === undefined ? {} : { sds: 'socket' as const }
	switch (capture.mode) {
		case 'intercept':
			return { instance, capture: 'intercept', ...sds }
		case 'explicit': {
			const { bind, egressPort, app } = capture
			return { instance, capture: 'explicit', bind, egressPort, app: addressText(app.address, app.port), ...sds }
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
