import { expect, test } from 'vitest'
import { pathToPointer, pathToText } from '../../../src/mesh/finding.ts'

test.for<[(string | number)[], string, string]>([
	[[], '', 'the document'],
	[['spec'], '/spec', 'spec'],
	[['spec', 'listeners', 0, 'port'], '/spec/listeners/0/port', 'spec.listeners[0].port'],
	[['a/b', '~'], '/a~1b/~0', 'a/b.~'],
])('%j is %s', ([path, pointer, text]) => {
	expect(pathToPointer(path)).toBe(pointer)
	expect(pathToText(path)).toBe(text)
})
