import { errorAt, type Finding } from './finding.ts'

/** Of App Mesh's Envoys themselves: where intercepted traffic comes in, and where it goes out. */
export const envoyPorts: readonly number[] = [15_000, 15_001]

/** Each listener of `spec.listeners` on a port that is Envoy's own: on one port a proxy can listen for one thing. */
export function refuseEnvoyPorts(listeners: readonly { portMapping: { port: number } }[]): readonly Finding[] {
	return listeners.flatMap(({ portMapping: { port } }, index) => {
		const path = ['spec', 'listeners', index, 'portMapping', 'port']
		if (!envoyPorts.includes(port)) return []
		const message = `port ${port} is Envoy's own: intercepted traffic comes in by 15000 and goes out by 15001`
		return [errorAt(path, 'SL0224', message, 'take another port')]
	})
}
