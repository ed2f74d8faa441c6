import { expect, test } from 'vitest'
import { findIdleFronts } from '../../../src/mesh/idle-fronts.ts'
import { type Mesh, resourceId } from '../../../src/mesh/mesh.ts'
import { readMesh } from '../../../src/mesh/read-mesh.ts'
import { policyForRoute } from '../../../src/mesh/rollout-policy.ts'
import { codesOf, filesOf, readOk, smallMesh } from './small-mesh.ts'

const grpcMesh = smallMesh
	.replaceAll('protocol: http2', 'protocol: grpc')
	.replace('http2Route:\n    match: {prefix: /}', 'grpcRoute:\n    match: {}')
const tcpMesh = smallMesh
	.replaceAll('protocol: http2', 'protocol: tcp')
	.replace('http2Route:\n    match: {prefix: /}', 'tcpRoute:')
const policy = (front: string, name = 'all', match = '{}') =>
	`---\napiVersion: sluice/v1\nkind: RolloutPolicy\nmetadata: {mesh: apps, name: ${name}}\nspec: {match: ${match}, front: ${front}}\n`
const [ofHttp, ofGrpc] = ['{headers: [{name: x}]}', '{metadata: [{name: x}]}']

test.for([
	['HTTP', smallMesh, `[${ofGrpc}]`, `[${ofGrpc}, ${ofHttp}]`],
	['gRPC', grpcMesh, `[${ofHttp}]`, `[${ofGrpc}, ${ofHttp}]`],
] as const)('a match in front that no request over %s can meet is refused', ([kind, mesh, wrong, right]) => {
	const outcome = readMesh(filesOf({ 'm.yaml': mesh + policy(wrong) }))
	const [found] = outcome.kind === 'refused' ? outcome.diagnostics : []
	expect(found).toMatchObject({ code: 'SL0331', severity: 'error' })
	expect(found?.message).toContain(`the rollout policy "all" has a front, and speaks for the ${kind} route "b" of "b"`)
	expect(codesOf({ 'm.yaml': mesh + policy(right) })).toEqual([])
})

test('connections of TCP have none, unless a policy of its own speaks for the route', () => {
	const front = `[${ofGrpc}, ${ofHttp}]`
	expect(codesOf({ 'm.yaml': tcpMesh + policy(front) })).toEqual(['SL0331'])
	const own = policy(front, 'own', '{virtualRouter: b}').replace(`, front: ${front}`, '')
	expect(codesOf({ 'm.yaml': tcpMesh + policy(front) + own })).toEqual([])
})

test('of a connection there is no copy', () => {
	const mirror = policy('[]').replace('front: []', 'steps: [{weight: 0, mirror: 10}]')
	expect(codesOf({ 'm.yaml': smallMesh + mirror })).toEqual([])
	expect(codesOf({ 'm.yaml': tcpMesh + mirror })).toEqual(['SL0331'])
})

test('a connection names no user', () => {
	const sticky = policy('[]').replace('front: []', 'sticky: {header: x-user}')
	expect(codesOf({ 'm.yaml': smallMesh + sticky })).toEqual([])
	expect(codesOf({ 'm.yaml': grpcMesh + sticky })).toEqual([])
	const outcome = readMesh(filesOf({ 'm.yaml': tcpMesh + sticky }))
	const [found] = outcome.kind === 'refused' ? outcome.diagnostics : []
	expect(found).toMatchObject({ code: 'SL0331', severity: 'error' })
	expect(found?.message).toContain('the rollout policy "all" is sticky, and speaks for the TCP route "b" of "b"')
})

test('a route has what its own requests can match', () => {
	const kindsOf = (mesh: Mesh) => {
		const route = mesh.resources[resourceId.route('apps', 'b', 'b')]
		return route?.kind === 'Route' ? policyForRoute(mesh, route).front.map(({ kind }) => kind) : []
	}
	const both = policy(`[${ofGrpc}, ${ofHttp}]`)
	expect(kindsOf(readOk({ 'm.yaml': smallMesh + both }).mesh)).toEqual(['http'])
	expect(kindsOf(readOk({ 'm.yaml': grpcMesh + both }).mesh)).toEqual(['grpc'])
})

test('the policies are looked for once, however many routes there are', () => {
	let looks = 0
	const { resources } = readOk({ 'm.yaml': smallMesh + policy(`[${ofHttp}]`) }).mesh
	const more = Array.from({ length: 20 }, (_, index) => {
		const id = resourceId.route('apps', 'b', `b${index}`)
		return [id, { ...resources[resourceId.route('apps', 'b', 'b')], id, name: `b${index}` }] as const
	})
	const counted = new Proxy({ ...resources, ...Object.fromEntries(more) } as Mesh['resources'], {
		ownKeys(all) {
			looks += 1
			return Reflect.ownKeys(all)
		},
	})
	expect(findIdleFronts(counted)).toEqual([])
	// For the routes, and for the policies.
	expect(looks).toBe(2)
})
