import { expect, test } from 'vitest'
import { closeLook, createFold, foldSample } from '#guard/fold.ts'
import { judge, startGuard } from '#guard/judge.ts'
import type { ArmIncrement, Verdict } from '#guard/look.ts'
import { canaryKey, increment, parameters, sample } from '../unit/guard/traffic.ts'

// Single events in a long rollout: what the peers of docs/peer-failures.md take for more than it is.

type Shown = { readonly canary: ArmIncrement; readonly baseline: ArmIncrement; readonly expected?: readonly string[] }

const good: Shown = { canary: increment(50), baseline: increment(950, 1) }

/** Whole rollouts, look by look, by the rules of a policy whose φ was measured as 1: the quickest to go back. */
function judgeAll(looks: readonly Shown[]): Verdict['kind'][] {
	const strict = { ...parameters, phi: { value: 1, source: 'endpoints' as const } }
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: strict.hardLimitPpm })
	let state = startGuard({ canaries: [canaryKey], parameters: strict })
	return looks.map(({ canary, baseline, expected = ['a'] }, index) => {
		foldSample(fold, sample({ canary, baseline }))
		const closing = {
			sequence: index + 1,
			stepStart: false,
			warmingUp: false,
			expected,
			silent: [],
			parameters: strict,
		}
		const judged = judge(state, closeLook(fold, closing), strict, { baselineHasTraffic: true })
		state = judged.state
		return judged.verdict.kind
	})
}

test('five bad looks in three hours take nothing back', () => {
	const bad: Shown = { canary: increment(50, 10), baseline: increment(950, 1) }
	const looks = Array.from({ length: 2160 }, (_, look) => (look % 432 === 431 ? bad : good))
	expect(looks.filter((look) => look === bad)).toHaveLength(5)
	expect(judgeAll(looks)).not.toContain('rollBack')
	expect(judgeAll(Array.from({ length: 5 }, () => bad)).at(-1)).toBe('rollBack')
})

test('a canary that only fails is no canary without traffic', () => {
	const failing: Shown = { canary: increment(50, 50), baseline: increment(950, 1) }
	const idle: Shown = { canary: increment(0), baseline: increment(950, 1) }
	expect(judgeAll([failing, failing, failing, failing]).at(-1)).toBe('rollBack')
	expect(new Set(judgeAll(Array.from({ length: 50 }, () => idle)))).toEqual(new Set(['hold']))
})

test('a rollout that was held for silence goes on when the counters are back', () => {
	const proven = Array.from({ length: 40 }, () => good)
	const silent = Array.from({ length: 5 }, () => ({ ...good, expected: ['a', 'b'] }))
	const kinds = judgeAll([...proven, ...silent, good])
	expect(kinds.slice(39)).toEqual(['advance', 'hold', 'hold', 'hold', 'hold', 'hold', 'advance'])
})
