// What a capture script is made of. Every member is a number, or an address that was taken apart: nothing that a user
// writes goes into a script as it is.

export type InterceptOptions = {
	readonly tool: InterceptTool
	/** Who Envoy is: what it sends is not sent back to it. At least one is there. */
	readonly ignored: { readonly uid: number | null; readonly gid: number | null }
	/** Where the application listens; sorted. None: only what it sends is captured. */
	readonly appPorts: readonly number[]
	/** Ports of Envoy's listeners. */
	readonly ingressPort: number
	readonly egressPort: number
	/** Where the application goes without Envoy. */
	readonly ignoredAddresses: readonly InterceptAddress[]
	readonly ignoredPorts: readonly number[]
	/** `untouched`: connections over IPv6 pass Envoy by, in both directions. */
	readonly ipv6: 'captured' | 'untouched'
}

export const interceptTools = ['iptables', 'nftables'] as const
export type InterceptTool = (typeof interceptTools)[number]

/** An address or a block of them, as `169.254.169.254` or `10.0.0.0/8`. */
export type InterceptAddress = { readonly family: 'ipv4' | 'ipv6'; readonly text: string }

/** App Mesh's, and beside its two addresses of AWS's metadata the one for IPv6. */
export const interceptDefaults = {
	ignoreUid: 1337,
	ingressPort: 15_000,
	egressPort: 15_001,
	ignoredAddresses: '169.254.169.254,169.254.170.2,fd00:ec2::254',
	/** Always ignored: whoever mends the machine must get out of it. */
	sshPort: 22,
} as const
