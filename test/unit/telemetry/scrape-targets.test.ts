import { expect, test } from 'vitest'
import { parseScrapeTargets } from '#telemetry/scrape-targets.ts'

test('a line each; blank ones and those that begin with a hash are none', () => {
	const text = `# proxies\n\nmesh/apps/virtualNode/a#host-1   10.0.0.1:9901\r\n\tmesh/apps/virtualGateway/g#arn:x/1@y [::1]:80\n`
	expect(parseScrapeTargets(text)).toEqual({
		ok: true,
		value: [
			{ proxy: 'mesh/apps/virtualNode/a#host-1', admin: '10.0.0.1:9901' },
			{ proxy: 'mesh/apps/virtualGateway/g#arn:x/1@y', admin: '[::1]:80' },
		],
	})
})

test('all that is wrong is told', () => {
	const good = 'mesh/apps/virtualNode/a#1 h:1'
	const wrong = [
		'a h:1',
		'mesh/apps/virtualNode/a h:1',
		`${good} more`,
		'mesh/apps/virtualNode/b#1 http://h:1',
		'mesh/apps/virtualNode/b#1',
	]
	const expected = 'expected mesh/MESH/virtualNode/NAME#INSTANCE HOST:PORT'
	expect(parseScrapeTargets([good, ...wrong, good].join('\n'))).toEqual({
		ok: false,
		error: [
			...wrong.map((_, index) => `line ${index + 2}: ${expected}`),
			'line 7: mesh/apps/virtualNode/a#1 is there already',
		],
	})
})
