import { beforeEach, describe, expect, test } from 'vitest'
import { renderReplay } from '#cli/replay-text.ts'
import { paintFor } from '#cli/terminal.ts'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import { defaultLatencyGuard } from '#mesh/rollout-policy.ts'
import type { JudgedLook } from '#rollout/judged-look.ts'
import { type Replay, replayLooks } from '#rollout/replay-looks.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'

let daemon: DaemonInMemory

beforeEach(async () => {
	daemon = await startInMemory()
})

async function kept(rollout = 'B/B#1'): Promise<JudgedLook[]> {
	const records = await daemon.face.readLooks(rollout, 0, 1_000)
	return records.map(({ body }) => JSON.parse(body))
}

const rollout = () => daemon.face.status().rollouts[0]
const differing = ({ looks }: Replay) => looks.filter(({ differs }) => differs).length
const lastWord = ({ looks }: Replay) => looks.at(-1)?.judged.verdict

function start(change: Partial<RolloutPolicySpec> = {}): void {
	daemon.commit({ weights: [1, 1], policy: { ...twoSteps, ...change } })
}

describe('every look is judged again as it was', () => {
	test('of a rollout that succeeds', async () => {
		start()
		await daemon.pass(60_000)
		expect(rollout()?.phase).toBe('succeeded')
		const looks = await kept()
		const replay = replayLooks(looks)
		expect([replay.end, differing(replay), lastWord(replay)]).toEqual(['whole', 0, 'advance'])
		expect([replay.looks.length, new Set(looks.map(({ step }) => step))]).toEqual([looks.length, new Set([0, 1])])
	})

	test('of one that goes back by its evidence', async () => {
		start({ guards: [...twoSteps.guards, defaultLatencyGuard] })
		await daemon.pass(4_000)
		daemon.failCanary(0.2)
		await daemon.pass(60_000)
		expect(rollout()).toMatchObject({ phase: 'rolledBack', cause: { by: 'guard' } })
		const replay = replayLooks(await kept())
		expect([replay.end, differing(replay), lastWord(replay)]).toEqual(['whole', 0, 'rollBack'])
	})

	test('of one that draws users, and goes back by the limit alone', async () => {
		start({ sticky: { kind: 'cookie', name: 'session' } })
		await daemon.pass(4_000)
		daemon.failCanary(0.2)
		await daemon.pass(60_000)
		expect(rollout()?.cause?.reason).toContain('against a limit of 5.0 %')
		const looks = await kept()
		const replay = replayLooks(looks)
		expect([replay.end, differing(replay), lastWord(replay)]).toEqual(['whole', 0, 'rollBack'])
		const withoutUsers = looks.map(({ parameters: { drawn: _, ...parameters }, ...judged }) => ({
			...judged,
			parameters,
		}))
		expect(replayLooks(withoutUsers).looks[0]?.text, 'as of a Sluice that knew none').not.toContain('limit')
	})

	test('over a restart in the middle', async () => {
		start({ steps: twoSteps.steps.map((step) => ({ ...step, minDurationMs: 30_000 })) })
		await daemon.pass(16_000)
		await daemon.restart()
		await daemon.pass(60_000)
		const looks = await kept()
		expect(looks.some(({ before }, index) => index > 0 && before.lastSequence === 0)).toBe(true)
		const replay = replayLooks(looks)
		expect([replay.end, differing(replay), replay.looks.length]).toEqual(['whole', 0, looks.length])
	})

	test('over another target, with which the evidence starts afresh', async () => {
		start({ steps: twoSteps.steps.map((step) => ({ ...step, minDurationMs: 30_000 })) })
		await daemon.pass(16_000)
		daemon.commit({ weights: [1, 2] })
		await daemon.pass(60_000)
		const looks = await kept()
		expect(looks.filter(({ before }) => before.requests === 0).length).toBeGreaterThan(1)
		const replay = replayLooks(looks)
		expect([replay.end, differing(replay), replay.looks.length]).toEqual(['whole', 0, looks.length])
	})
})

describe('what cannot be replayed is said', () => {
	test('looks that a full disk did not take', async () => {
		start({ steps: twoSteps.steps.map((step) => ({ ...step, minDurationMs: 60_000 })) })
		await daemon.pass(16_000)
		daemon.fillDisk()
		await daemon.pass(12_000)
		daemon.freeDisk()
		await daemon.pass(20_000)
		const looks = await kept()
		const replay = replayLooks(looks)
		expect(replay.end).toBe('gap')
		expect(replay.looks.length).toBeGreaterThan(0)
		expect(replay.looks.length).toBeLessThan(looks.length)
	})

	test('a look that today is judged otherwise', async () => {
		start()
		await daemon.pass(20_000)
		const looks = await kept()
		const changed = looks.map((look, index): JudgedLook => (index === 1 ? { ...look, verdict: 'rollBack' } : look))
		const replay = replayLooks(changed)
		expect(replay.looks.map(({ differs }) => differs).indexOf(true)).toBe(1)
		const text = renderReplay({ rollout: 'B/B#1', whatIf: {}, replay, other: null }, paintFor(false))
		expect(text).toMatch(/ 2 {2}[\d:]+ {2}step 1 {2}rollBack, TODAY \w+ {2}canary /)
		expect(text).toContain("of which today's code judges 1 otherwise than was recorded, first the 2.")
	})
})

describe('as if the policy had said something else', () => {
	async function failing(share: number): Promise<JudgedLook[]> {
		start()
		await daemon.pass(4_000)
		daemon.failCanary(share)
		await daemon.pass(90_000)
		return kept()
	}

	test('another alpha needs other evidence; the same one changes nothing', async () => {
		const looks = await failing(0.2)
		const asItWas = replayLooks(looks)
		expect([lastWord(asItWas), asItWas.looks.at(-1)?.verdict.numbers.needed]).toEqual(['rollBack', 100])
		const strict = replayLooks(looks, { alpha: 0.001 }).looks.at(-1)
		expect(strict?.verdict.numbers.needed).toBeCloseTo(1_000)
		expect(strict?.text).toContain('of 1,000 needed')
		expect(replayLooks(looks, { alpha: 0.01 })).toEqual(asItWas)
	})

	test("a tolerance that covers it takes nothing back, and one proxy's counts are tried exactly", async () => {
		daemon = await startInMemory(undefined, { instances: 1 })
		const looks = await failing(0.2)
		expect(lastWord(replayLooks(looks))).toBe('rollBack')
		const other = replayLooks(looks, { tolerancePpm: 400_000 })
		expect(other.looks.some(({ verdict }) => verdict.kind === 'rollBack')).toBe(false)
		expect(new Set(other.looks.map(({ how }) => how))).toEqual(new Set(['exact']))
		const same = replayLooks(looks, { toleranceRatio: 1.25, tolerancePpm: 500 })
		expect(same.looks.map(({ verdict }) => verdict)).toEqual(replayLooks(looks).looks.map(({ verdict }) => verdict))
		const shown = { rollout: 'B/B#1', whatIf: { tolerancePpm: 400_000 }, replay: replayLooks(looks), other }
		expect(renderReplay(shown, paintFor(false))).toMatch(/with tolerance 40: does not go back in these looks$/)
	})

	test('of several strata only the sums are known, which is said', async () => {
		// What two zones show by themselves is less than what their sum would.
		const looks = (await failing(0.2)).map((judged): JudgedLook => {
			const canaries = Object.entries(judged.look.canaries).map(([key, canary]) => {
				const logFactors = canary.final.logFactors.map((factor) => factor * 0.9)
				return [key, { ...canary, final: { ...canary.final, logFactors } }]
			})
			return { ...judged, look: { ...judged.look, canaries: Object.fromEntries(canaries) } }
		})
		const other = replayLooks(looks, { tolerancePpm: 400_000 })
		expect(new Set(other.looks.map(({ how }) => how))).toContain('pooled')
		const shown = { rollout: 'B/B#1', whatIf: {}, replay: replayLooks(looks), other }
		expect(renderReplay(shown, paintFor(false))).toMatch(
			/in \d+ of the looks proxies are compared by their sum, so about/,
		)
	})
})

test('nothing to replay is said', () => {
	const text = renderReplay({ rollout: 'B/B#9', whatIf: {}, replay: replayLooks([]), other: null }, paintFor(false))
	expect(text).toBe('B/B#9: no look was kept')
})
