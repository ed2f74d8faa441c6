import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseGitTarget } from '#source/git-target.ts'
import { createRedactor } from '#source/redact.ts'
import { count, seed } from '../../depth.ts'

test.for<[string, string]>([
	['fatal: https://user:p%40ss@example.com/a.git', 'fatal: https://***@example.com/a.git'],
	['bad password p@ss for user', 'bad password *** for user'],
	['P%40SS and p%40ss', '*** and ***'],
	['see https://other:thing@example.com/ and ssh://git@h/', 'see https://***@example.com/ and ssh://***@h/'],
	['nothing to hide at https://example.com/a@b', 'nothing to hide at https://example.com/a@b'],
])('%j becomes %j', ([text, shown]) => {
	expect(createRedactor(['p%40ss', 'p@ss'])(text)).toBe(shown)
})

test('the longer of two secrets goes first, and an empty one is none', () => {
	expect(createRedactor(['', 'abc', 'abcdef'])('abcdef abc')).toBe('*** ***')
})

test('no form of a password is left, whatever it is made of', () => {
	fc.assert(
		fc.property(fc.string({ minLength: 4, maxLength: 30 }), (password) => {
			const encoded = encodeURIComponent(password)
			const target = parseGitTarget({ url: `https://u:${encoded}@example.com/`, branch: 'main', path: '' })
			if (!target.ok) throw new Error(target.error.join())
			const marked = (text: string) => `[[${text}]]`
			const text = [password, encoded, `u:${encoded}`, `https://u:${encoded}@example.com`].map(marked).join(' ')
			const shown = createRedactor(target.value.secrets)(text)
			expect(shown).not.toContain(marked(password))
			expect(shown).not.toContain(marked(encoded))
			expect(shown).not.toContain(`u:${encoded}`)
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
})
