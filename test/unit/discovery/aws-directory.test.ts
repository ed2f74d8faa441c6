import { createServer, type Server } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createAwsDirectory } from '#discovery/aws-directory.ts'
import { listen, portOf } from '#lab/ports.ts'
import { webQuery } from '../../fakes/scripted-directory.ts'

let server: Server
let answer: { status: number; body: unknown }
let asked: { target: unknown; body: unknown }

beforeAll(async () => {
	server = createServer((request, response) => {
		let text = ''
		request.setEncoding('utf8').on('data', (part: string) => {
			text += part
		})
		request.on('end', () => {
			asked = { target: request.headers['x-amz-target'], body: JSON.parse(text) }
			response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' })
			response.end(JSON.stringify(answer.body))
		})
	})
	await listen('127.0.0.1', 0, server)
})
afterAll(() => void server.close())
afterEach(() => void vi.unstubAllEnvs())

function directory() {
	vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${portOf(server)}`)
	vi.stubEnv('AWS_REGION', 'eu-west-1')
	vi.stubEnv('AWS_ACCESS_KEY_ID', 'test')
	vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test')
	return createAwsDirectory()
}
const discover = () => directory().discover(webQuery, new AbortController().signal)

test('asks for the healthy, or all, with every attribute', async () => {
	answer = { status: 200, body: { Instances: [{ InstanceId: 'one', Attributes: { AWS_INSTANCE_IPV4: '10.0.0.1' } }] } }
	const attributes = [
		{ key: 'stage', value: 'live' },
		{ key: 'version', value: '2' },
	]
	const answered = await directory().discover({ ...webQuery, attributes }, new AbortController().signal)
	expect(answered).toEqual({ kind: 'instances', instances: [{ AWS_INSTANCE_IPV4: '10.0.0.1' }] })
	expect(asked).toEqual({
		target: 'Route53AutoNaming_v20170314.DiscoverInstances',
		body: {
			NamespaceName: 'shop.local',
			ServiceName: 'web',
			HealthStatus: 'HEALTHY_OR_ELSE_ALL',
			MaxResults: 1000,
			QueryParameters: { stage: 'live', version: '2' },
		},
	})
})

test.for([
	['ServiceNotFound', 400, 'absent'],
	['NamespaceNotFound', 400, 'absent'],
	['AccessDeniedException', 400, 'denied'],
	['SignatureDoesNotMatch', 403, 'denied'],
	['RequestLimitExceeded', 400, 'unreachable'],
	['InternalFailure', 500, 'unreachable'],
] as const)('%s (%i) is %s, and only its name is told', async ([name, status, reason]) => {
	answer = { status, body: { __type: name, message: 'x-amz-security-token:SECRET' } }
	expect(await discover()).toEqual({ kind: 'failed', reason, name })
})

test('an answer that is no JSON is none', async () => {
	answer = { status: 200, body: 'nonsense' }
	expect(await discover()).toEqual({ kind: 'instances', instances: [] })
})

test('nobody listens', async () => {
	const asking = directory()
	vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1')
	expect(await asking.discover(webQuery, new AbortController().signal)).toEqual({
		kind: 'failed',
		reason: 'unreachable',
		name: 'ECONNREFUSED',
	})
})

test('without a region nobody can be asked', async () => {
	const asking = directory()
	vi.stubEnv('AWS_REGION', undefined)
	vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
	expect(await asking.discover(webQuery, new AbortController().signal)).toEqual({
		kind: 'failed',
		reason: 'denied',
		name: 'no region: set AWS_REGION',
	})
})
