import type { Capture, ProxyGroup, ProxyIdentity } from '#compile/compiled.ts'

/** The newest Envoy that is supported: what is asked without a proxy is answered for it. */
const envoyMinor = '1.40'

/** Proxies of an identity as they are taken to be where nobody asks a real one. */
export function groupAsked(identity: ProxyIdentity, mode: Capture['mode']): ProxyGroup {
	const explicit = {
		mode: 'explicit',
		bind: '0.0.0.0',
		egressPort: 15_001,
		app: { address: '127.0.0.1', port: null },
	} as const
	const capture: Capture = mode === 'intercept' ? { mode } : explicit
	return { identity, cohort: 'stable', capture, envoyMinor, secrets: 'daemon' }
}
