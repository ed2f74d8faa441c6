import { expect, test } from 'vitest'
import { bits, integer, objectId, octets, sequence, time } from '../../../../src/cli/certs/der.ts'

test.for([
	['a short one', sequence(octets(Buffer.from('a'))), '3003040161'],
	['one of 128 bytes', octets(Buffer.alloc(128)).subarray(0, 3), '048180'],
	['one of 256 bytes', octets(Buffer.alloc(256)).subarray(0, 4), '04820100'],
	['a number', integer(Buffer.from([0x7f])), '02017f'],
	['a number that would look negative', integer(Buffer.from([0x80])), '02020080'],
	['an id with numbers above 127', objectId('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
	['an id that begins with 2', objectId('2.5.29.17'), '0603551d11'],
	['bits', bits(Buffer.from([0x80]), 7), '03020780'],
	['a time', time(Date.parse('2026-11-30T04:05:06.789Z')), `170d${Buffer.from('261130040506Z').toString('hex')}`],
	['a late time', time(Date.parse('2050-01-01T00:00:00Z')), `180f${Buffer.from('20500101000000Z').toString('hex')}`],
] as const)('%s', ([, encoded, hex]) => {
	expect(Buffer.from(encoded).toString('hex')).toBe(hex)
})
