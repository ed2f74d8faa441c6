import { unreachable } from '#base/assert.ts'
import type { InterceptOptions } from './intercept-options.ts'
import { iptablesScript } from './iptables-script.ts'
import { nftablesScript } from './nftables-script.ts'

/** The script that sets capture up in a network namespace, and takes it away. The same options, the same bytes. */
export function interceptScript(options: InterceptOptions): string {
	switch (options.tool) {
		case 'iptables':
			return iptablesScript(options)
		case 'nftables':
			return nftablesScript(options)
		default:
			return unreachable(options.tool)
	}
}
