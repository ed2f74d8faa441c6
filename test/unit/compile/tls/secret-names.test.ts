import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acmSecretName, certificateSecretName, trustSecretName } from '#compile/tls/secret-names.ts'
import { count, seed } from '../../../depth.ts'

test('the parts of a name tell apart what is joined', () => {
	const part = fc.string({ unit: fc.constantFrom('a', ',', '%', '2', 'C'), minLength: 1, maxLength: 4 })
	const list = fc.array(part, { minLength: 1, maxLength: 3 })
	fc.assert(
		fc.property(list, list, (left, right) => {
			expect(trustSecretName('cluster', left) === trustSecretName('cluster', right)).toBe(
				left.join('\n') === right.join('\n'),
			)
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
})

test('a certificate and a trust of one name are two secrets, and a cluster and a listener share neither', () => {
	const users = ['cluster', 'listener'] as const
	const names = users.flatMap((user) => [certificateSecretName(user, 'web'), trustSecretName(user, ['web'])])
	expect(new Set(names).size).toBe(4)
})

test.for([
	['arn:aws:acm:eu-west-1:111122223333:certificate/12-ab', '12-ab'],
	['arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/34-cd', '34-cd'],
	['plain', 'plain'],
])('%s stands for %s', ([arn = '', name]) => {
	expect(acmSecretName(arn)).toBe(name)
})
