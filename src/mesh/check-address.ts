import { errorAt, type Finding, type Path, pathToText } from './finding.ts'
import { isIpAddress } from './is-ip-address.ts'
import { showValue } from './show-value.ts'

/** Refuses what is no IP address. The schema lets through all that is made of the right characters. */
export function checkIpAddress(path: Path, address: string | undefined): readonly Finding[] {
	if (address === undefined || isIpAddress(address)) return []
	return [errorAt(path, 'SL0208', `${pathToText(path)} is ${showValue(address)}; expected an IPv4 or IPv6 address`)]
}

/** Refuses what has the form of an IP address, and is none. The schema has looked at host names. */
export function checkHostOrIpAddress(path: Path, address: string): readonly Finding[] {
	const isMeantAsIp = address.includes(':') || /(?:^|\.)[0-9]+\.?$/.test(address)
	return isMeantAsIp ? checkIpAddress(path, address) : []
}
