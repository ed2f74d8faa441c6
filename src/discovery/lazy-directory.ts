import { entryUrl } from '#base/program.ts'
import type { DirectoryAnswer, InstanceDirectory } from './instance-directory.ts'

/**
 * AWS's client, from a bundle of its own that is read with the first question: most meshes never ask one, and every
 * command would pay for it.
 */
export function createLazyDirectory(): InstanceDirectory {
	let loaded: Promise<InstanceDirectory> | null = null
	return {
		async discover(query, signal) {
			loaded ??= load()
			try {
				return await (await loaded).discover(query, signal)
			} catch {
				loaded = null
				return notLoaded
			}
		},
	}
}

const notLoaded: DirectoryAnswer = { kind: 'failed', reason: 'unreachable', name: 'the AWS client cannot be loaded' }

async function load(): Promise<InstanceDirectory> {
	const { createAwsDirectory }: typeof import('./aws-directory.ts') = await import(entryUrl('aws-directory').href)
	return createAwsDirectory()
}
