import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMesh } from '../../src/mesh/read-mesh.ts'
import { count, seed } from '../depth.ts'
import { filesOf, readOk, smallMesh, smallMeshDocuments } from '../unit/mesh/small-mesh.ts'

test('the order of documents and files does not change the mesh', () => {
	const { mesh } = readOk({ 'm.yaml': smallMesh })
	const layout = fc.tuple(
		fc.shuffledSubarray([...smallMeshDocuments], { minLength: smallMeshDocuments.length }),
		fc.array(fc.constantFrom('a.yaml', 'b/c.yml', 'z.yaml'), { minLength: smallMeshDocuments.length }),
	)
	fc.assert(
		fc.property(layout, ([documents, names]) => {
			const files: Record<string, string> = {}
			for (const [index, document] of documents.entries()) {
				const name = names[index] ?? 'a.yaml'
				files[name] = `${files[name] ?? ''}---\n${document}`
			}
			expect(readOk(files).mesh).toEqual(mesh)
		}),
		{ numRuns: count(50, 2_000), seed: seed() },
	)
})

test('the order of files does not change what is found either', () => {
	const broken = smallMeshDocuments.map((text, index) => [`${index}.yaml`, text.replace('name: ', 'nam: ')] as const)
	fc.assert(
		fc.property(fc.shuffledSubarray(broken, { minLength: broken.length }), (files) => {
			expect(readMesh(filesOf(Object.fromEntries(files)))).toEqual(readMesh(filesOf(Object.fromEntries(broken))))
		}),
		{ numRuns: count(20, 1_000), seed: seed() },
	)
})

test('whatever bytes come: an outcome, never an exception, and places inside the files', () => {
	const fragment = fc.constantFrom(
		...smallMesh.split(/(?<=[\s:{},[\]])/),
		'&a ',
		'*a ',
		'!t ',
		'<<: ',
		'"',
		"'",
		'|\n',
		'\t',
		'? ',
		'- ',
		'\r\n',
		'%YAML 1.2\n',
		'__proto__: ',
	)
	const text = fc.array(fragment, { maxLength: 80 }).map((parts) => new TextEncoder().encode(parts.join('')))
	const cut = fc.tuple(fc.nat(smallMesh.length), fc.nat(smallMesh.length), fragment).map(([from, to, inserted]) => {
		const [low, high] = from < to ? [from, Math.min(to, from + 20)] : [to, Math.min(from, to + 20)]
		return new TextEncoder().encode(smallMesh.slice(0, low) + inserted + smallMesh.slice(high))
	})
	fc.assert(
		fc.property(fc.oneof(text, cut, fc.uint8Array({ maxLength: 200 })), (bytes) => {
			const outcome = readMesh(new Map([['a.yaml', bytes]]))
			const lines = new TextDecoder().decode(bytes).split('\n').length
			const diagnostics = outcome.kind === 'ok' ? outcome.warnings : outcome.diagnostics
			for (const { line, column, frame } of diagnostics) {
				expect(line).toBeLessThanOrEqual(lines)
				expect(column > 0).toBe(line > 0)
				expect(frame.some((shown) => shown.line === line)).toBe(line > 0)
			}
			expect(outcome.kind === 'ok' || diagnostics.some(({ severity }) => severity === 'error')).toBe(true)
		}),
		{ numRuns: count(1000, 50_000), seed: seed() },
	)
})
