/** Whether a text is an IPv4 address or an IPv6 one without a zone, as `inet_pton` takes it: Envoy refuses all others. */
export function isIpAddress(text: string): boolean {
	return isIpv4Address(text) || isIpv6Address(text)
}

function isIpv4Address(text: string): boolean {
	const numbers = text.split('.')
	return (
		numbers.length === 4 && numbers.every((number) => /^(?:0|[1-9][0-9]{0,2})$/.test(number) && Number(number) < 256)
	)
}

function isIpv6Address(text: string): boolean {
	const halves = text.split('::')
	if (halves.length > 2) return false
	const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
	const last = groups.at(-1) ?? ''
	// An IPv4 address may stand for the last two groups.
	const embedded = last.includes('.')
	if (embedded && (text.endsWith('::') || !isIpv4Address(last))) return false
	const hexadecimal = embedded ? groups.slice(0, -1) : groups
	if (!hexadecimal.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false
	const count = hexadecimal.length + (embedded ? 2 : 0)
	return halves.length === 2 ? count < 8 : count === 8
}
