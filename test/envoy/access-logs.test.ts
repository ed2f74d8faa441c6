// Access logs: Envoy's own line, a text format and a JSON format; a node's own setting before that of its mesh.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 37,
		apps: ['web', 'text', 'json'],
		proxies: ['web', 'text', 'json'],
		mesh: logs,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())

const host = (name: string) => `${name}.apps.local`

function logs(at: FeaturePlaces): string {
	const port = at.port()
	const logging = (name: string, format?: object) => {
		const file = { path: join(at.folder, `${name}.log`), ...(format === undefined ? {} : { format }) }
		return { logging: { accessLog: { file } } }
	}
	return yamlOf([
		mesh(logging('mesh')),
		node('web', [], { backends: [host('text'), host('json')] }),
		node('text', [{ port }], logging('text', { text: '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%' })),
		node(
			'json',
			[{ port }],
			logging('json', {
				json: [
					{ key: 'path', value: '%REQ(:PATH)%' },
					{ key: 'status', value: '%RESPONSE_CODE%' },
					{ key: 'app', value: '%RESP(X-APP)%' },
				],
			}),
		),
		service(host('text'), { node: 'text' }),
		service(host('json'), { node: 'json' }),
	])
}

/** The lines of a log once it has so many; Envoy writes every second, and it is asked to at the latest when it ends. */
async function linesOf(name: string, count: number): Promise<string[]> {
	const file = join(stage.folder, `${name}.log`)
	const read = () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [])
	await eventually(`${name}.log has ${count} lines`, () => read().filter((line) => line !== '').length >= count)
	return read()
}

test('each proxy logs in its own format', async () => {
	expect((await stage.ask('web', `http://${host('text')}/one?a=1`)).status).toBe(200)
	expect((await stage.ask('web', `http://${host('text')}/two`)).status).toBe(200)
	expect((await stage.ask('web', `http://${host('json')}/three`)).status).toBe(200)
	expect(await linesOf('text', 2)).toEqual(['GET /one?a=1 200', 'GET /two 200'])
	expect((await linesOf('json', 1)).map((line) => JSON.parse(line))).toEqual([
		{ path: '/three', status: 200, app: 'json' },
	])
	// The caller writes nothing of its own: what the mesh says holds, in Envoy's own words.
	const own = await linesOf('mesh', 3)
	expect(own).toHaveLength(3)
	expect(own[0]).toMatch(/^\[\d{4}-\d\d-\d\dT[^\]]+\] "GET \/one\?a=1 HTTP\/1.1" 200 - .*"text\.apps\.local"/)
})
