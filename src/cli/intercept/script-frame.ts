import type { InterceptOptions } from './intercept-options.ts'

export type ScriptParts = {
	/** What install and remove call. */
	readonly functions: string | null
	/** Lines of shell. */
	readonly install: readonly string[]
	readonly remove: readonly string[]
}

/** A script for any POSIX shell: what it is, in words, then its parts, then which of them is asked for. */
export function scriptFrame(options: InterceptOptions, { functions, install, remove }: ScriptParts): string {
	return `${[
		'#!/bin/sh',
		...headOf(options).map((line) => `# ${line}`.trimEnd()),
		'set -eu',
		'',
		...(functions === null ? [] : [functions, '']),
		...shellFunction('install_rules', install),
		'',
		...shellFunction('remove_rules', remove),
		'',
		`case "\${1:-install}" in`,
		'install) install_rules ;;',
		'remove) remove_rules ;;',
		'*)',
		'\techo "usage: $0 [install|remove]" >&2',
		'\texit 64',
		'\t;;',
		'esac',
	].join('\n')}\n`
}

/** A here-document must stay at the beginning of its lines. */
function shellFunction(name: string, lines: readonly string[]): string[] {
	return [`${name}() {`, ...lines, '}']
}

function headOf(options: InterceptOptions): string[] {
	const { tool, ignored, appPorts, ingressPort, egressPort, ignoredAddresses, ignoredPorts, ipv6 } = options
	const who = [
		...(ignored.uid === null ? [] : [`uid ${ignored.uid}`]),
		...(ignored.gid === null ? [] : [`gid ${ignored.gid}`]),
	]
	const where = [...ignoredAddresses.map(({ text }) => text), ...ignoredPorts.map((port) => `port ${port}`)]
	return [
		`Leads the TCP connections of this network namespace through Envoy, by ${tool}. Printed by: sluice bootstrap --intercept`,
		'',
		'  sh FILE          sets the rules; once more, it sets the same',
		'  sh FILE remove   takes them away',
		'',
		'It needs root, or CAP_NET_ADMIN and CAP_NET_RAW. Connections that are open stay as they are.',
		'',
		`In:   ${appPorts.length === 0 ? 'nothing' : `to port ${appPorts.join(', ')}, from other machines, -> ${ingressPort}`}`,
		`Out:  to other machines -> ${egressPort}, but not`,
		`      what ${who.join(' or ')} sends, which is Envoy`,
		`      to ${where.join(', ')}`,
		`IPv6: ${ipv6 === 'captured' ? 'likewise' : 'passes Envoy by'}`,
	]
}
