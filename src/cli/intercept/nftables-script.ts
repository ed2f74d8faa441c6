import type { InterceptOptions } from './intercept-options.ts'
import { scriptFrame } from './script-frame.ts'

/** One table of our own for both families, replaced in one transaction. Linux 5.2 and later have `nat` in `inet`. */
export function nftablesScript(options: InterceptOptions): string {
	return scriptFrame(options, {
		functions: null,
		install: ["nft -f - <<'RULES'", ...removal, ...tableOf(options), 'RULES'],
		remove: ["nft -f - <<'RULES'", ...removal, 'RULES'],
	})
}

/** Naming the table first makes it be there, so that deleting it never fails. */
const removal = ['table inet sluice', 'delete table inet sluice']

function tableOf(options: InterceptOptions): string[] {
	const { ignored, ignoredAddresses, ignoredPorts, appPorts, egressPort, ingressPort, ipv6 } = options
	const family = ipv6 === 'captured' ? [] : ['meta nfproto ipv6 return']
	const egress = [
		...family,
		'meta l4proto != tcp return',
		...(ignored.uid === null ? [] : [`meta skuid ${ignored.uid} return`]),
		...(ignored.gid === null ? [] : [`meta skgid ${ignored.gid} return`]),
		'fib daddr type local return',
		...ignoredAddresses.map((address) => `${address.family === 'ipv4' ? 'ip' : 'ip6'} daddr ${address.text} return`),
		...ignoredPorts.map((port) => `tcp dport ${port} return`),
		`meta l4proto tcp redirect to :${egressPort}`,
	]
	const ingress = [
		...family,
		...appPorts.map((port) => `tcp dport ${port} fib daddr type local redirect to :${ingressPort}`),
	]
	return [
		'table inet sluice {',
		...chainOf('egress', 'output', egress),
		...chainOf('ingress', 'prerouting', ingress),
		'}',
	]
}

/** -100 is where destinations are changed; older versions of nft know it by its number only. */
function chainOf(name: string, hook: string, rules: readonly string[]): string[] {
	return [
		`\tchain ${name} {`,
		`\t\ttype nat hook ${hook} priority -100; policy accept;`,
		...rules.map((rule) => `\t\t${rule}`),
		'\t}',
	]
}
