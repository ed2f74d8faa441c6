import { unreachable } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { CloudMapQuery, Endpoint, Trouble } from './discovered.ts'
import type { DirectoryAnswer } from './instance-directory.ts'
import { readInstances } from './read-instances.ts'

// One query, and what counts as an answer to it. A failure never does, whatever its name: also a service that is said
// not to exist keeps its last endpoints, since one line of somebody's clean-up must not empty a cluster that works. An
// answer does, and an empty one too, but where there were instances it must stay the answer for a while: a registry
// that loses its instances and finds them again a moment later is seen more often than a service that is taken down,
// and to those that are really gone nobody should be calling any more.

export type Entry = {
	readonly key: string
	/** Null until the first answer. */
	endpoints: readonly Endpoint[] | null
	/** Failures since the last answer. */
	failures: number
	/** Since when every answer is empty, while the endpoints are not. */
	emptySinceMs: number | null
	trouble: Trouble | null
}

export type Circumstances = {
	readonly query: CloudMapQuery
	readonly log: Log
	readonly nowMs: number
	readonly wallMs: number
}

export function createCloudMapEntry(key: string, endpoints: readonly Endpoint[] | null): Entry {
	return { key, endpoints, failures: 0, emptySinceMs: null, trouble: null }
}

/** Takes in what was answered; true when the endpoints are others now. */
export function takeAnswer(entry: Entry, answer: DirectoryAnswer, circumstances: Circumstances): boolean {
	if (answer.kind === 'failed') {
		entry.failures += 1
		report(entry, { code: codeOf(answer.reason), message: messageOf(answer, entry) }, circumstances)
		return false
	}
	const { endpoints, unusable } = readInstances(answer.instances)
	entry.failures = 0
	if (!isBelieved(entry, endpoints, circumstances.nowMs)) {
		const message = `has no instance any more; the last ${entry.endpoints?.length} stay for ${limits.cloudMapEmptyMs / 1000} s`
		report(entry, { code: 'SL0504', message }, circumstances)
		return false
	}
	const isNew = JSON.stringify(endpoints) !== JSON.stringify(entry.endpoints)
	entry.endpoints = endpoints
	report(entry, warningOf(answer.instances.length, unusable), circumstances)
	return isNew
}

function isBelieved(entry: Entry, endpoints: readonly Endpoint[], nowMs: number): boolean {
	if (endpoints.length > 0 || entry.endpoints === null || entry.endpoints.length === 0) {
		entry.emptySinceMs = null
		return true
	}
	entry.emptySinceMs ??= nowMs
	if (nowMs - entry.emptySinceMs < limits.cloudMapEmptyMs) return false
	entry.emptySinceMs = null
	return true
}

type Finding = Pick<Trouble, 'code' | 'message'>

function warningOf(instances: number, unusable: number): Finding | null {
	if (unusable === 0) return null
	const message = `has ${unusable} of ${instances} instances without an IP address (AWS_INSTANCE_IPV4 or AWS_INSTANCE_IPV6), which get no traffic`
	return { code: 'SL0505', message }
}

/** Told once, when it begins and when it is over. */
function report(entry: Entry, finding: Finding | null, { query, log, wallMs }: Circumstances): void {
	const { trouble } = entry
	const subject = `Cloud Map ${query.namespaceName}/${query.serviceName}`
	if (finding === null) {
		entry.trouble = null
		if (trouble !== null) log.info('discovery.recovered', { subject })
		return
	}
	const isSame = trouble?.code === finding.code
	entry.trouble = { ...finding, subject, sinceWallMs: isSame ? trouble.sinceWallMs : wallMs }
	if (!isSame) log.warn('discovery.trouble', { ...finding, subject })
}

type Failed = Extract<DirectoryAnswer, { kind: 'failed' }>

function codeOf(reason: Failed['reason']): Trouble['code'] {
	switch (reason) {
		case 'absent':
			return 'SL0502'
		case 'denied':
			return 'SL0503'
		case 'unreachable':
			return 'SL0501'
		default:
			return unreachable(reason)
	}
}

function messageOf({ reason, name }: Failed, { endpoints }: Entry): string {
	const consequence = endpoints === null ? 'nothing is known of it yet' : `the last ${endpoints.length} endpoints stay`
	switch (reason) {
		case 'absent':
			return `does not exist (${name}); ${consequence}`
		case 'denied':
			return `may not be asked (${name}); ${consequence}`
		case 'unreachable':
			return `does not answer (${name}); ${consequence}`
		default:
			return unreachable(reason)
	}
}
