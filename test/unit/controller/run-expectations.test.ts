import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { runExpectations } from '#controller/run-expectations.ts'
import { readMesh } from '#mesh/read-mesh.ts'

const mesh = `apiVersion: sluice/v1
kind: Mesh
metadata: {name: apps}
---
apiVersion: sluice/v1
kind: VirtualNode
metadata: {mesh: apps, name: web}
spec:
  backends: [{virtualService: {virtualServiceName: shop.apps.local}}]
---
apiVersion: sluice/v1
kind: VirtualNode
metadata: {mesh: apps, name: shop}
spec:
  listeners: [{portMapping: {port: 80, protocol: http}}]
  serviceDiscovery: {dns: {hostname: shop.apps.local}}
---
apiVersion: sluice/v1
kind: VirtualService
metadata: {mesh: apps, name: shop.apps.local}
spec: {provider: {virtualNode: {virtualNodeName: shop}}}
`
const expectation = (name: string, url: string, expected: string) => `apiVersion: sluice/v1
kind: Expectation
metadata: {mesh: apps, name: ${name}}
spec:
  from: {virtualNode: web}
  request: {url: "${url}"}
  expect: ${expected}
`

function run(...expectations: string[]) {
	const texts = { 'mesh.yaml': mesh, 'tests/expect.yaml': expectations.join('---\n') }
	const files = new Map(Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]))
	const read = readMesh(files)
	if (read.kind === 'refused') throw new Error(JSON.stringify(read.diagnostics))
	return { read, outcome: runExpectations(read, files) }
}

test('a mesh that does what it is expected to is left as it is', () => {
	const { read, outcome } = run(expectation('a', 'http://shop.apps.local/', '{virtualNodes: [shop]}'))
	expect(outcome).toBe(read)
})

test('one that does not is refused, each finding at its line with the lines around', () => {
	const { outcome } = run(
		expectation('a', 'http://shop.apps.local/', '{virtualNodes: [web]}'),
		expectation('b', 'http://shop.apps.local/', '{virtualNodes: [shop]}'),
		expectation('c', 'http://shop.apps.local/', '{noRoute: true}'),
	)
	expect(outcome).toMatchObject({
		kind: 'refused',
		diagnostics: [
			{ code: 'SL0401', severity: 'error', file: 'tests/expect.yaml', line: 7, column: 12 },
			{ code: 'SL0401', line: 23, message: expect.stringContaining('no route is expected') },
		],
	})
	const [first] = outcome.kind === 'refused' ? outcome.diagnostics : []
	expect(first?.frame.map(({ line }) => line)).toEqual([6, 7, 8])
	expect(first?.frame[1]?.text).toBe('  expect: {virtualNodes: [web]}')
})

test('a request that no client can send', () => {
	const { outcome } = run(expectation('a', 'http://shop.apps.local/é', '{noRoute: true}'))
	expect(outcome).toMatchObject({
		kind: 'refused',
		diagnostics: [{ code: 'SL0402', line: 6, message: expect.stringContaining('percent-encoded') }],
	})
})

test('more than are looked up are refused at the first that is too many', () => {
	const names = Array.from({ length: limits.expectations + 1 }, (_, index) => `e${String(index).padStart(5, '0')}`)
	const { outcome } = run(
		...names.map((name) => expectation(name, 'http://shop.apps.local/', '{virtualNodes: [shop]}')),
	)
	expect(outcome).toMatchObject({
		kind: 'refused',
		diagnostics: [{ code: 'SL0005', file: 'tests/expect.yaml', line: limits.expectations * 8 + 1 }],
	})
})
