import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { MeasurementSource, Question } from '#telemetry/measurement.ts'

/** States in which a source gives no figure. `hanging`: it takes the question and answers nothing. */
export type Trouble = 'nothing' | 'several' | 'notANumber' | 'failing' | 'hanging' | 'gone' | 'old'

/** How the suite gets at the source it judges, and at what it measures. */
export type SourceUnderTest = {
	readonly source: MeasurementSource
	readonly question: Question
	/** The figure is this from now on. */
	give(figure: number): Promise<void>
	/** By the troubles that it can be in, what brings it into them. */
	readonly troubles: Readonly<Partial<Record<Trouble, () => Promise<void>>>>
	dispose(): Promise<void>
}

export type SourceSuite = {
	readonly open: () => Promise<SourceUnderTest>
	readonly figures: readonly number[]
	readonly troubles: readonly Trouble[]
}

/** What every source of figures promises (telemetry/measurement.ts), as tests. */
export function describeMeasurementSource(name: string, { open, figures, troubles }: SourceSuite): void {
	describe(`a source of figures: ${name}`, () => {
		let subject: SourceUnderTest
		beforeEach(async () => {
			subject = await open()
		})
		afterEach(() => subject.dispose())

		const ask = (signal = AbortSignal.timeout(20_000)) => subject.source.ask(subject.question, signal)

		test.for(figures)('%d is a value', async (figure) => {
			await subject.give(figure)
			expect(await ask()).toEqual({ kind: 'value', value: figure, ageMs: expect.any(Number) })
		})

		test.for(troubles.filter((trouble) => trouble !== 'hanging'))('%s is no data, and says why', async (trouble) => {
			await subject.give(figures[0] ?? 1)
			await subject.troubles[trouble]?.()
			const measurement = await ask()
			expect(measurement).toEqual({ kind: 'noData', reason: expect.stringMatching(/^[\x20-\x7e…]{8,}$/) })
			if (measurement.kind === 'noData')
				expect(measurement.reason.length).toBeLessThan(limits.measurementReasonChars + 100)
		})

		test.runIf(troubles.includes('hanging'))('who hangs is let go with the signal', async () => {
			await subject.troubles.hanging?.()
			const started = performance.now()
			expect(await ask(AbortSignal.timeout(200))).toMatchObject({ kind: 'noData' })
			expect(performance.now() - started).toBeLessThan(5_000)
		})
	})
}
