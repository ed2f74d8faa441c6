import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { interceptTools } from '../../../../src/cli/intercept/intercept-options.ts'
import { interceptScript } from '../../../../src/cli/intercept/intercept-script.ts'
import { interceptVariables, readInterceptOptions } from '../../../../src/cli/intercept/read-intercept-options.ts'
import { count, seed } from '../../../depth.ts'

const plain = {
	ignored: { uid: 1337, gid: null },
	appPorts: [80, 8080],
	ingressPort: 15_000,
	egressPort: 15_001,
	ignoredAddresses: [
		{ family: 'ipv4', text: '169.254.169.254' },
		{ family: 'ipv6', text: 'fd00:ec2::254' },
	],
	ignoredPorts: [22, 587],
	ipv6: 'captured',
} as const

/** The lines between `after` and the next one that ends a here-document. */
function rulesAfter(script: string, after: string): string[] {
	const lines = script.split('\n').map((line) => line.trim())
	const from = lines.indexOf(after) + 1
	return lines.slice(from, lines.indexOf('RULES', from))
}

test('iptables: who passes by, and who does not, in this order', () => {
	const script = interceptScript({ ...plain, tool: 'iptables' })
	expect(rulesAfter(script, "fill iptables <<'RULES'")).toEqual([
		'*nat',
		':SLUICE_EGRESS - [0:0]',
		':SLUICE_INGRESS - [0:0]',
		'-A SLUICE_EGRESS -m owner --uid-owner 1337 -j RETURN',
		'-A SLUICE_EGRESS -m addrtype --dst-type LOCAL -j RETURN',
		'-A SLUICE_EGRESS -d 169.254.169.254 -j RETURN',
		'-A SLUICE_EGRESS -p tcp --dport 22 -j RETURN',
		'-A SLUICE_EGRESS -p tcp --dport 587 -j RETURN',
		'-A SLUICE_EGRESS -p tcp -j REDIRECT --to-ports 15001',
		'-A SLUICE_INGRESS -p tcp --dport 80 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 15000',
		'-A SLUICE_INGRESS -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 15000',
		'COMMIT',
	])
	const ipv6 = rulesAfter(script, "fill ip6tables <<'RULES'")
	expect(ipv6).toContain('-A SLUICE_EGRESS -d fd00:ec2::254 -j RETURN')
	expect(ipv6.join()).not.toContain('169.254')
})

test('nftables: the same in one table, that replaces the one before', () => {
	const script = interceptScript({ ...plain, tool: 'nftables', ignored: { uid: 1, gid: 2 }, ipv6: 'untouched' })
	expect(rulesAfter(script, "nft -f - <<'RULES'")).toEqual([
		'table inet sluice',
		'delete table inet sluice',
		'table inet sluice {',
		'chain egress {',
		'type nat hook output priority -100; policy accept;',
		'meta nfproto ipv6 return',
		'meta l4proto != tcp return',
		'meta skuid 1 return',
		'meta skgid 2 return',
		'fib daddr type local return',
		'ip daddr 169.254.169.254 return',
		'ip6 daddr fd00:ec2::254 return',
		'tcp dport 22 return',
		'tcp dport 587 return',
		'meta l4proto tcp redirect to :15001',
		'}',
		'chain ingress {',
		'type nat hook prerouting priority -100; policy accept;',
		'meta nfproto ipv6 return',
		'tcp dport 80 fib daddr type local redirect to :15000',
		'tcp dport 8080 fib daddr type local redirect to :15000',
		'}',
		'}',
	])
})

describe.for(interceptTools)('%s', (tool) => {
	test('a head says what it does', () => {
		const lines = interceptScript({ ...plain, tool }).split('\n')
		expect(lines[0]).toBe('#!/bin/sh')
		expect(lines.slice(1, lines.indexOf('set -eu')).every((line) => line.startsWith('#'))).toBe(true)
		expect(lines.join('\n')).toContain('to 169.254.169.254, fd00:ec2::254, port 22, port 587')
	})

	test('whatever is written, nothing of it can become a command', () => {
		const names = Object.keys(interceptVariables) as (keyof typeof interceptVariables)[]
		const plausible = fc.constantFrom('80', '1337', '10.0.0.1', '::1', '1', 'none', '10.0.0.0/8')
		const hostile = fc.constantFrom('$(reboot)', '`id`', "'", '"', '\n', ';', 'RULES', '%0', '\\', '\u0000', ' ', ',')
		const text = fc.array(fc.oneof(plausible, hostile), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''))
		const flags = fc.dictionary(fc.constantFrom(...names), text)
		const form = (script: string) => script.replaceAll(/[0-9a-f.:/]+/g, '').replaceAll(/\s+/g, ' ')
		fc.assert(
			fc.property(flags, (written) => {
				const read = readInterceptOptions({ tool, flags: written, environment: {}, listenerPorts: [80] })
				if (!read.ok) return
				// Written anew from nothing but numbers and addresses it has the same words.
				const script = interceptScript(read.value)
				const words = new Set(form(interceptScript({ ...plain, tool, ignored: { uid: 1, gid: 1 } })).split(' '))
				for (const other of [
					{ ...plain, appPorts: [] },
					{ ...plain, ipv6: 'untouched' as const },
				])
					for (const word of form(interceptScript({ ...other, tool })).split(' ')) words.add(word)
				expect(
					form(script)
						.split(' ')
						.filter((word) => !words.has(word)),
				).toEqual([])
			}),
			{ numRuns: count(500, 20_000), seed: seed() },
		)
	})
})
