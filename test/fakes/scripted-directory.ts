import { type CloudMapQuery, cloudMapKey } from '#discovery/discovered.ts'
import type { DirectoryAnswer, InstanceDirectory } from '#discovery/instance-directory.ts'

/** A Cloud Map that answers what a test says, at once or when it says so. */
export type ScriptedDirectory = InstanceDirectory & {
	/** From now on this query is answered so; `silent`: not at all, whatever its signal says. */
	answer(
		query: CloudMapQuery,
		answer: readonly string[] | Extract<DirectoryAnswer, { kind: 'failed' }> | 'silent',
	): void
	/** Queries that were asked since the last call, by service. */
	asked(): string[]
	/** Most questions that were open at once. */
	mostAtOnce(): number
	/** Questions that were open when their signal said to stop. */
	aborted(): number
}

export const webQuery: CloudMapQuery = {
	kind: 'awsCloudMap',
	namespaceName: 'shop.local',
	serviceName: 'web',
	attributes: [],
	ipPreference: null,
}

export function createScriptedDirectory(): ScriptedDirectory {
	const answers = new Map<string, DirectoryAnswer | 'silent'>()
	const asked: string[] = []
	let open = 0
	let most = 0
	let aborted = 0
	return {
		async discover(query, signal) {
			asked.push(query.serviceName)
			open += 1
			most = Math.max(most, open)
			signal.addEventListener('abort', () => {
				aborted += 1
			})
			const answer = answers.get(cloudMapKey(query)) ?? { kind: 'instances', instances: [] }
			if (answer === 'silent') return new Promise<never>(() => {})
			await Promise.resolve()
			open -= 1
			return answer
		},
		answer(query, answer) {
			const isList = typeof answer === 'object' && !('kind' in answer)
			answers.set(
				cloudMapKey(query),
				isList ? { kind: 'instances', instances: answer.map((ip) => ({ AWS_INSTANCE_IPV4: ip })) } : answer,
			)
		},
		asked: () => asked.splice(0),
		mostAtOnce: () => most,
		aborted: () => aborted,
	}
}
