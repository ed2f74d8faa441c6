import type { InterceptOptions } from './intercept-options.ts'
import { scriptFrame } from './script-frame.ts'

/**
 * Chains of our own in the `nat` table, filled by `iptables-restore`, which replaces them as a whole; the built-in chains
 * get one jump each. Without IPv6 the chains that an earlier script may have left there are taken away.
 */
export function iptablesScript(options: InterceptOptions): string {
	const families = [
		['iptables', 'ipv4'],
		...(options.ipv6 === 'captured' ? [['ip6tables', 'ipv6'] as const] : []),
	] as const
	return scriptFrame(options, {
		functions,
		install: [
			...families.flatMap(([tool, family]) => [
				`fill ${tool} <<'RULES'`,
				...rulesOf(options, family),
				'RULES',
				`jump ${tool} OUTPUT SLUICE_EGRESS`,
				`jump ${tool} PREROUTING SLUICE_INGRESS`,
			]),
			...(options.ipv6 === 'captured' ? [] : ['clear_ipv6']),
		],
		remove: ['iptables -w -t nat -S >/dev/null', 'clear_family iptables', 'clear_ipv6'],
	})
}

const functions = `# fill TOOL: both chains at once, so that no connection meets half of them.
fill() {
	"$1-restore" -w --noflush
}

# jump TOOL FROM TO: from a built-in chain, once.
jump() {
	"$1" -w -t nat -C "$2" -p tcp -j "$3" 2>/dev/null || "$1" -w -t nat -A "$2" -p tcp -j "$3"
}

# clear_chain TOOL FROM TO: the jump and the chain, if they are there.
clear_chain() {
	while "$1" -w -t nat -C "$2" -p tcp -j "$3" 2>/dev/null; do
		"$1" -w -t nat -D "$2" -p tcp -j "$3"
	done
	if "$1" -w -t nat -S "$3" >/dev/null 2>&1; then
		"$1" -w -t nat -F "$3"
		"$1" -w -t nat -X "$3"
	fi
}

clear_family() {
	clear_chain "$1" OUTPUT SLUICE_EGRESS
	clear_chain "$1" PREROUTING SLUICE_INGRESS
}

# A machine without IPv6 has nothing to clear.
clear_ipv6() {
	if command -v ip6tables >/dev/null 2>&1 && ip6tables -w -t nat -S >/dev/null 2>&1; then
		clear_family ip6tables
	fi
}`

/** Input of `iptables-restore`: a chain that is named anew is emptied first. */
function rulesOf(options: InterceptOptions, family: 'ipv4' | 'ipv6'): string[] {
	const { ignored, ignoredAddresses, ignoredPorts, appPorts, egressPort, ingressPort } = options
	const leave = (match: string) => `-A SLUICE_EGRESS ${match} -j RETURN`
	return [
		'*nat',
		':SLUICE_EGRESS - [0:0]',
		':SLUICE_INGRESS - [0:0]',
		...(ignored.uid === null ? [] : [leave(`-m owner --uid-owner ${ignored.uid}`)]),
		...(ignored.gid === null ? [] : [leave(`-m owner --gid-owner ${ignored.gid}`)]),
		leave('-m addrtype --dst-type LOCAL'),
		...ignoredAddresses.filter((address) => address.family === family).map(({ text }) => leave(`-d ${text}`)),
		...ignoredPorts.map((port) => leave(`-p tcp --dport ${port}`)),
		`-A SLUICE_EGRESS -p tcp -j REDIRECT --to-ports ${egressPort}`,
		...appPorts.map(
			(port) =>
				`-A SLUICE_INGRESS -p tcp --dport ${port} -m addrtype --dst-type LOCAL -j REDIRECT --to-ports ${ingressPort}`,
		),
		'COMMIT',
	]
}
