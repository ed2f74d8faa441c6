import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { nodesFile, onPort, routeFile, withoutNode, withWeights } from '#lab/demo/mesh-edits.ts'
import { type RepositoryFiles, readFiles } from '#lab/git-repository.ts'

let example: RepositoryFiles = {}

beforeAll(async () => {
	example = await readFiles(fileURLToPath(new URL('../../../../mesh-config', import.meta.url)))
})

function fileOf(name: string): string {
	const text = example[name]
	if (text === undefined) throw new Error(`mesh-config/ has no ${name}`)
	return text
}

describe('weights', () => {
	test('take the place of those that were written', () => {
		const once = withWeights(fileOf(routeFile), { serviceB: 75, serviceBv2: 25 })
		const expected = fileOf(routeFile).replace(
			'        - { virtualNode: serviceB, weight: 100 }\n',
			'        - { virtualNode: serviceB, weight: 75 }\n        - { virtualNode: serviceBv2, weight: 25 }\n',
		)
		expect(once).toBe(expected)
		expect(withWeights(once, { serviceB: 100 })).toBe(fileOf(routeFile))
	})

	test('are not lost in a file of another form', () => {
		expect(() => withWeights('kind: Route\n', { serviceB: 1 })).toThrow('mesh-config')
	})
})

describe('a node', () => {
	test('is taken out, and the rest stays', () => {
		const text = withoutNode(fileOf(nodesFile), 'serviceB')
		expect(text).not.toMatch(/name: serviceB\n {2}mesh|hostname: serviceB\.apps\.local/)
		expect(text.split('\n')[0]).toBe(fileOf(nodesFile).split('\n')[0])
		expect(text.split(/^---$/m)).toHaveLength(fileOf(nodesFile).split(/^---$/m).length - 1)
		expect(text).toContain('hostname: serviceBv2.apps.local')
		expect(text).toContain('kind: VirtualRouter')
	})

	test('that is not there is a mistake', () => {
		expect(() => withoutNode(fileOf(nodesFile), 'serviceC')).toThrow('serviceC')
	})
})

test('every port of the example can be moved', () => {
	const moved = Object.values(onPort(example, 8080)).join('\n')
	expect(moved.match(/port: 8080,/g)).toHaveLength(
		Object.values(example)
			.join('\n')
			.match(/port: 80,/g)?.length ?? 0,
	)
	expect(moved).not.toMatch(/port: 80\b/)
	expect(moved).toContain('url: http://serviceb.apps.local:8080/')
})
