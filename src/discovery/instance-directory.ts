import type { CloudMapQuery } from './discovered.ts'

// What is needed of Cloud Map, as a port: the AWS client is one, a test's own answers another.

/** Attributes of one registered instance: `AWS_INSTANCE_IPV4`, `AVAILABILITY_ZONE`, and those of its owner. */
export type InstanceAttributes = Readonly<Record<string, string>>

export type DirectoryAnswer =
	| { readonly kind: 'instances'; readonly instances: readonly InstanceAttributes[] }
	| {
			readonly kind: 'failed'
			/** `absent`: there is no such namespace or service · `denied`: credentials · `unreachable`: all else. */
			readonly reason: 'absent' | 'denied' | 'unreachable'
			/** What the failure is called, for people. Never holds a credential. */
			readonly name: string
	  }

export type InstanceDirectory = {
	/** Instances that have all attributes of the query: the healthy ones, or all when none is. Never rejects. */
	discover(query: CloudMapQuery, signal: AbortSignal): Promise<DirectoryAnswer>
}
