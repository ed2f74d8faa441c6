import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isIpAddress } from '../../../src/mesh/is-ip-address.ts'
import { count, seed } from '../../depth.ts'

test.for([
	'0.0.0.0',
	'255.255.255.255',
	'::',
	'::1',
	'1::',
	'fd00::5',
	'1:2:3:4:5:6:7:8',
	'1:2:3:4:5:6:7::',
	'::ffff:1.2.3.4',
	'1:2:3:4:5:6:1.2.3.4',
	'ABCD::',
])('%s is one', (text) => {
	expect(isIpAddress(text)).toBe(true)
})

test.for([
	'',
	'localhost',
	'1.2.3',
	'1.2.3.4.',
	'010.0.0.1',
	'1.2.3.256',
	':::',
	'1::2::3',
	'00001::1',
	'1:2:3:4:5:6:7',
	'1:2:3:4:5:6:7:8:9',
	'1:2:3:4:5:6:7:8::',
	'::1.2.3',
	'1.2.3.4::',
	'1.2.3.4:5::',
	'fe80::1%eth0',
	'[::1]',
	':1',
	'1:',
])('%j is none', (text) => {
	expect(isIpAddress(text)).toBe(false)
})

const part = fc.constantFrom('0', '1', 'ffff', '255', '256', '01', '', '1.2.3.4', 'g')
const texts = fc.oneof(
	fc.array(part, { maxLength: 10 }).map((parts) => parts.join(':')),
	fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
	fc.ipV4(),
	fc.ipV6(),
)

test('it agrees with the system', () => {
	fc.assert(
		fc.property(texts, (text) => isIpAddress(text) === isIP(text) > 0),
		{ numRuns: count(2000, 100_000), seed: seed() },
	)
})
