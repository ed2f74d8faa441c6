import type { Random } from '#base/random.ts'

// Random numbers of the kinds that traffic is made of. A draw costs the same for a thousand requests as for ten, so that
// an hour of traffic takes no longer to make than a minute of thin traffic.

/** Below this mean a draw by hand, factor by factor, is the faster one. */
const smallMean = 10

/** How many of very many independent events happen when `mean` of them are expected: exact. */
export function poisson(random: Random, mean: number): number {
	if (mean <= 0) return 0
	return mean < smallMean ? poissonByInversion(random, mean) : poissonByRejection(random, mean)
}

/** Goes up from 0 until the chances passed exceed one uniform number. */
function poissonByInversion(random: Random, mean: number): number {
	const uniform = random()
	let chance = Math.exp(-mean)
	let passed = chance
	let events = 0
	// What rounding leaves of the last chances ends the walk too.
	while (uniform > passed && chance > 0) {
		events += 1
		chance *= mean / events
		passed += chance
	}
	return events
}

/**
 * Transformed rejection with a squeeze: a hat of the form a/(½−|u|)+b over the histogram, whose constants are Hörmann's
 * ("The transformed rejection method for generating Poisson random variables", 1993, algorithm PTRS, mean ≥ 10).
 */
function poissonByRejection(random: Random, mean: number): number {
	const b = 0.931 + 2.53 * Math.sqrt(mean)
	const a = -0.059 + 0.02483 * b
	const logHeight = Math.log(1.1239 + 1.1328 / (b - 3.4))
	const squeeze = 0.9277 - 3.6224 / (b - 2)
	const logMean = Math.log(mean)
	for (;;) {
		const u = random() - 0.5
		const v = random()
		const distance = 0.5 - Math.abs(u)
		const events = Math.floor(((2 * a) / distance + b) * u + mean + 0.43)
		if (distance >= 0.07 && v <= squeeze) return events
		if (events < 0 || (distance < 0.013 && v > distance)) continue
		const logHat = Math.log(v) + logHeight - Math.log(a / (distance * distance) + b)
		if (logHat <= events * logMean - mean - logFactorial(events)) return events
	}
}

/** Stirling's series from 10 on: right to 1e-10. */
function logFactorial(n: number): number {
	if (n < 10) return smallLogFactorials[n] ?? 0
	const inverse = 1 / n
	const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260
	return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series
}

const smallLogFactorials = [1, 1, 2, 6, 24, 120, 720, 5040, 40_320, 362_880].map(Math.log)

/** A positive factor with mean 1 and the given coefficient of variation. */
export function gammaFactor(random: Random, variation: number): number {
	const shape = 1 / variation ** 2
	return gamma(random, shape) / shape
}

/** A gamma variable with scale 1, by a cubed normal one (Marsaglia and Tsang, 2000). */
function gamma(random: Random, shape: number): number {
	if (shape < 1) return gamma(random, shape + 1) * (1 - random()) ** (1 / shape)
	const d = shape - 1 / 3
	const c = 1 / Math.sqrt(9 * d)
	for (;;) {
		const x = normal(random)
		const cube = (1 + c * x) ** 3
		if (cube > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * cube + d * Math.log(cube)) return d * cube
	}
}

/** Box and Muller. */
function normal(random: Random): number {
	return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Seconds until the next of events that come `perHour` times an hour, independently of one another. */
export function waitingSeconds(random: Random, perHour: number): number {
	return (-Math.log(1 - random()) * 3600) / perHour
}
