import { expect, test } from 'vitest'
import { hintForMisplaced } from '../../../src/mesh/misplaced-fields.ts'

test.for<[Parameters<typeof hintForMisplaced>, RegExp]>([
	[['VirtualNode', '/spec/listeners/12/tls/validation/trust/acm'], /file or sds/],
	[['VirtualGateway', '/spec/listeners/0/tls/validation/trust/acm'], /file or sds/],
	[['VirtualNode', '/spec/backends/0/virtualService/clientPolicy/tls/certificate/acm'], /file or sds/],
	[['VirtualNode', '/spec/clientPolicy'], /backendDefaults/],
	[['VirtualNode', '/spec/backends/3/clientPolicy'], /virtualService/],
	[['VirtualGateway', '/spec/listeners/0/timeout'], /routes and nodes/],
	[['VirtualGateway', '/spec/backends'], /gateway routes/],
])('%j has a hint', ([field, hint]) => {
	expect(hintForMisplaced(...field)).toMatch(hint)
})

test('nothing is known of other fields', () => {
	expect(hintForMisplaced('VirtualNode', '/spec/listeners/0/tmeout')).toBeNull()
	expect(hintForMisplaced('Route', '/spec/backends')).toBeNull()
})
