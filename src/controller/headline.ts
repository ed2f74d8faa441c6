import type { Headline, Status } from './status.ts'

/** The one sentence that matters most: what went wrong before what is moving, and that before what is well. */
export function headlineOf(status: Omit<Status, 'headline'>): Headline {
	const { durable, storeFailure, refused, accepted, source, heldBack } = status
	const running = status.rollouts.filter(({ endedAt }) => endedAt === null)
	const back = running.find(({ phase }) => phase === 'rollingBack')
	if (back !== undefined) return { level: 'attention', text: `${back.id}: ${back.text}` }
	if (!durable)
		return {
			level: 'attention',
			text: `the state cannot be stored, nothing moves forward: ${storeFailure ?? 'unknown'}`,
		}
	if (status.adoption !== null) {
		const names = status.adoption.proxies.join(', ')
		return {
			level: 'attention',
			text: `${names} keep what they held when the store was empty: sluice adopt --reason TEXT`,
		}
	}
	const quarantined = status.rollouts.find((rollout) => rollout.quarantined)
	if (quarantined !== undefined) return { level: 'attention', text: `${quarantined.id}: ${quarantined.text}` }
	if (refused !== null) {
		const name = refused.revision === null ? 'the source' : shortRevision(refused.revision.id)
		const [first] = refused.diagnostics
		return {
			level: 'attention',
			text: `${name} is refused: ${first === undefined ? 'see below' : `${first.code}: ${first.message}`}`,
		}
	}
	const [rejection] = status.groups.flatMap(({ rejections }) => rejections)
	if (rejection !== undefined) {
		const { proxy, type, name, text, place } = rejection
		const probably = place === '' ? '' : ` (probably ${place})`
		return { level: 'attention', text: `${proxy} refuses ${type} ${name}: ${text}${probably}` }
	}
	const held = running.find(({ phase }) => phase === 'held' || phase === 'paused')
	if (held !== undefined) return { level: 'held', text: `${held.id}: ${held.text}` }
	const [moving] = running
	if (moving !== undefined) return { level: 'moving', text: `${moving.id}: ${moving.text}` }
	if (accepted === null)
		return {
			level: 'held',
			text: `no revision yet: ${source.kind === 'unreachable' ? source.text : 'looking at the source'}`,
		}
	// What is in force stays so; what Git asks for by now nobody knows.
	if (source.kind === 'unreachable')
		return { level: 'attention', text: `${shortRevision(accepted.id)} stays in force: ${source.text}` }
	const [wait] = status.groups.flatMap(({ connected, waits }) => (connected > 0 ? waits : []))
	if (wait !== undefined) return { level: 'held', text: wait }
	const trouble = status.discovery.find(({ code }) => !announcements.includes(code))
	if (trouble !== undefined) return { level: 'attention', text: `${trouble.subject} ${trouble.message}` }
	const [freeze] = status.freezes
	const barred = heldBack.find(({ code }) => code !== null)
	if (barred !== undefined) return { level: 'held', text: `${barred.resource} waits: ${barred.reason}` }
	if (heldBack.length > 0)
		return { level: 'moving', text: `${heldBack.length} changes of ${shortRevision(accepted.id)} are not in force yet` }
	const alsoFrozen = freeze === undefined ? '' : `; ${freeze.text}`
	return { level: 'settled', text: `${shortRevision(accepted.id)} is in force${alsoFrozen}` }
}

/** Troubles that cost nothing yet: instances without an address, a certificate that expires soon. */
const announcements: readonly string[] = ['SL0505', 'SL0509']

/** An object id as people write it; other ids are left as they are. */
export function shortRevision(id: string): string {
	return id.replace(/^((?:folder:)?[0-9a-f]{12})[0-9a-f]+$/, '$1')
}
