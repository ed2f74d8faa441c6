// What people and programs are told of the daemon: plain JSON, made anew whenever it is asked for, from the view of the
// controller and the fleet. The contract that the API serves and the command line reads; fields are only ever added.

import type { Diagnostic } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { RevisionInfo } from '#source/revision.ts'
import type { GroupView, Rejection } from '#xds/fleet-view.ts'
import type { ControllerView } from './controller-view.ts'
import type { Evidence } from './evidence.ts'
import { describeFreeze, type Freeze } from './freeze.ts'
import { headlineOf } from './headline.ts'
import { findHeldBack } from './held-back.ts'
import type { FleetPort } from './ports.ts'
import { type ExclusionStatus, exclusionsOf } from './proxy-status.ts'
import { type RolloutStatus, rolloutStatusOf } from './rollout-status.ts'

export type Status = {
	readonly apiVersion: 'sluice/v1'
	readonly kind: 'Status'
	/** ISO 8601, like every other time here. */
	readonly time: string
	/** The whole in one sentence. */
	readonly headline: Headline
	/** False: the last decision is in force but not in the store yet, and nothing moves forward. */
	readonly durable: boolean
	readonly storeFailure: string | null
	readonly source: SourceStatus
	readonly accepted: AcceptedStatus | null
	/** The newest revision, when it was refused: what was accepted before stays in force. */
	readonly refused: RefusedStatus | null
	/** What people have frozen: nothing there starts, takes a step or is removed. */
	readonly freezes: readonly FreezeStatus[]
	/** Proxies that keep what they held when the store was empty, until `sluice adopt`; null when nobody does. */
	readonly adoption: { readonly proxies: readonly string[]; readonly askedAt: string } | null
	/** Running ones first, then ended ones; each newest first. */
	readonly rollouts: readonly RolloutStatus[]
	/** What Git asks for that is not in force, and why. */
	readonly heldBack: readonly HeldBack[]
	/** What nothing needs any more, still there, and why. */
	readonly pendingRemovals: readonly { readonly resource: string; readonly reason: string }[]
	/** What keeps discovery from finding endpoints or secrets; what was found last stays served. */
	readonly discovery: readonly TroubleStatus[]
	/** Proxies that a person took out of what is expected: nothing waits for them, and what they report is no evidence. */
	readonly excluded: readonly ExclusionStatus[]
	readonly groups: readonly GroupStatus[]
}

export type FreezeStatus = {
	/** A mesh, virtual router or route, with what lies below it; null: everything. */
	readonly scope: string | null
	readonly actor: string
	readonly reason: string
	readonly since: string
	/** Null: until `sluice unfreeze`. */
	readonly until: string | null
	/** The whole in one sentence. */
	readonly text: string
}

export type TroubleStatus = {
	readonly code: string
	readonly subject: string
	/** Half a sentence that goes on after the subject. */
	readonly message: string
	readonly since: string
}

export type Headline = {
	/** `settled`: Git and fleet agree · `moving` · `held` · `attention`: something went back, or was refused. */
	readonly level: 'settled' | 'moving' | 'held' | 'attention'
	readonly text: string
}

export type SourceStatus = {
	readonly kind: 'starting' | 'reachable' | 'unreachable'
	readonly text: string
	readonly lastSuccess: string | null
}

export type RevisionStatus = {
	readonly id: string
	readonly author: string
	readonly message: string
	readonly time: string
}

export type AcceptedStatus = RevisionStatus & { readonly acceptedAt: string; readonly warnings: readonly Diagnostic[] }

export type RefusedStatus = {
	/** Null when the source has none to name: a branch that is gone. */
	readonly revision: RevisionStatus | null
	readonly refusedAt: string
	/** A person may take it in all the same: `sluice accept ID --reason TEXT`. */
	readonly acceptable: boolean
	readonly diagnostics: readonly Diagnostic[]
}

export type HeldBack = {
	/** When people or a window hold it; null for any other reason. */
	readonly code: 'FROZEN' | 'WINDOW' | null
	readonly kind: 'prepare' | 'replace' | 'shift'
	readonly resource: string
	readonly reason: string
}

/** The proxies of one identity that are served the same bytes. */
export type GroupStatus = {
	readonly key: string
	readonly identity: string
	/** `candidate`: they have what goes out by waves, and the rest of the identity does not. */
	readonly cohort: 'stable' | 'candidate'
	readonly envoy: string
	readonly connected: number
	/** Connected, and those gone for less than ten minutes without a drain. */
	readonly expected: number
	/** By type: how many connected proxies hold what is served, have not answered yet, refused. */
	readonly types: Readonly<
		Record<ResourceType, { readonly current: number; readonly pending: number; readonly rejected: number }>
	>
	readonly pending: readonly string[]
	/** What cannot be sent yet since nobody has found the endpoints or the secret that it names. */
	readonly waits: readonly string[]
	/** Expected but not connected, with the version they last held. */
	readonly gone: readonly { readonly proxy: string; readonly version: string }[]
	readonly rejections: readonly RejectionStatus[]
	/** Connected, but their counters have stopped or never came: what happens there is not watched. */
	readonly silent: readonly string[]
}

export type ResourceType = keyof typeof typeUrls

export type RejectionStatus = {
	readonly proxy: string
	readonly type: ResourceType
	readonly name: string
	readonly text: string
	/** `file:line` that it probably comes from, or ''. */
	readonly place: string
}

export type StatusSource = {
	readonly view: ControllerView
	readonly fleet: FleetPort
	readonly evidence: Evidence
	readonly placeOf: (rejection: Rejection) => string
	readonly wallMs: number
}

export function statusOf(source: StatusSource): Status {
	const { view } = source
	const { accepted, refused, adoption } = view.state
	const rollouts = view.state.rollouts.map((rollout) => rolloutStatusOf(rollout, source)).toReversed()
	const sorted = [
		...rollouts.filter(({ endedAt }) => endedAt === null),
		...rollouts.filter(({ endedAt }) => endedAt !== null),
	]
	const heldBack = findHeldBack(view)
	const status: Omit<Status, 'headline'> = {
		apiVersion: 'sluice/v1',
		kind: 'Status',
		time: isoTime(source.wallMs),
		durable: view.durable,
		storeFailure: view.storeFailure,
		source: {
			kind: view.source.kind,
			text: view.source.text,
			lastSuccess: view.source.lastSuccessWallMs === null ? null : isoTime(view.source.lastSuccessWallMs),
		},
		accepted:
			accepted === null
				? null
				: { ...revisionStatus(accepted.info), acceptedAt: isoTime(accepted.wallMs), warnings: accepted.warnings },
		freezes: view.state.freezes.map(freezeStatus),
		adoption: adoption === null ? null : { proxies: adoption.proxies, askedAt: isoTime(adoption.wallMs) },
		refused:
			refused === null
				? null
				: {
						revision: refused.info === null ? null : revisionStatus(refused.info),
						refusedAt: isoTime(refused.wallMs),
						acceptable: refused.acceptable,
						diagnostics: refused.diagnostics,
					},
		rollouts: sorted,
		heldBack,
		pendingRemovals: (view.settlement?.waiting ?? []).map(({ resource, reason }) => ({ resource, reason })),
		discovery: view.troubles.map(({ sinceWallMs, ...trouble }) => ({ ...trouble, since: isoTime(sinceWallMs) })),
		excluded: exclusionsOf({ state: view.state, fleet: source.fleet.fleet(), wallMs: source.wallMs }),
		groups: [...source.fleet.fleet()]
			.filter(([, { group, expected }]) => group.cohort === 'stable' || expected > 0)
			.map(([key, group]) => groupStatus(key, group, source)),
	}
	return { ...status, headline: headlineOf(status) }
}

function revisionStatus({ id, author, message, timeMs }: RevisionInfo): RevisionStatus {
	return { id, author, message, time: isoTime(timeMs) }
}

function freezeStatus(freeze: Freeze): FreezeStatus {
	const { scope, actor, reason, sinceWallMs, untilWallMs } = freeze
	const until = untilWallMs === null ? null : isoTime(untilWallMs)
	return { scope, actor, reason, since: isoTime(sinceWallMs), until, text: describeFreeze(freeze) }
}

function groupStatus(key: string, view: GroupView, source: StatusSource): GroupStatus {
	const silent = [...source.fleet.counted(key)].filter((proxy) => source.evidence.isSilent(proxy.key))
	const types = Object.entries(typeUrls).map(([name, url]) => [name, view.types[url]])
	const { identity } = view.group
	return {
		key,
		identity: `mesh/${identity.mesh}/${identity.kind}/${identity.name}`,
		cohort: view.group.cohort,
		envoy: view.group.envoyMinor,
		connected: view.connected,
		expected: view.expected,
		types: Object.fromEntries(types) as GroupStatus['types'],
		pending: view.pending,
		waits: source.view.served.waitsOf(key),
		gone: view.gone,
		rejections: view.rejections.map((rejection) => rejectionStatus(rejection, source)),
		silent: silent.slice(0, limits.namedProxies).map((proxy) => proxy.key),
	}
}

function rejectionStatus(rejection: Rejection, { placeOf }: StatusSource): RejectionStatus {
	const { proxy, name, text } = rejection
	return { proxy, type: typeName(rejection.typeUrl), name, text, place: placeOf(rejection) }
}

function typeName(typeUrl: Rejection['typeUrl']): ResourceType {
	const found = Object.entries(typeUrls).find(([, url]) => url === typeUrl)
	return (found?.[0] ?? 'cluster') as ResourceType
}

function isoTime(wallMs: number): string {
	return new Date(wallMs).toISOString()
}
