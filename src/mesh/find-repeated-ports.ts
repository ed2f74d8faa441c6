import { errorAt, type Finding } from './finding.ts'

/** Each listener of `spec.listeners` whose port an earlier one has too. */
export function findRepeatedPorts(listeners: readonly { portMapping: { port: number } }[]): readonly Finding[] {
	const seen = new Set<number>()
	return listeners.flatMap(({ portMapping: { port } }, index) => {
		const path = ['spec', 'listeners', index, 'portMapping', 'port']
		const repeated = seen.has(port)
		seen.add(port)
		return repeated ? [errorAt(path, 'SL0213', `port ${port} has a listener already`)] : []
	})
}
