import { canonicalJson } from '#base/hash.ts'
import type { Certificate, TlsValidation, VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { type ChangedPath, laterListener } from './changed-path.ts'
import { isHeard, type Speech, speechTo } from './client-tls.ts'
import type { Trap } from './trap.ts'
import { listenerPointers, policyPointers } from './trap-places.ts'

// Each combination of an old and a new end must get along: (old caller, new server) and (new caller, old server). What a
// certificate holds is not known here, so only this is: what was left as it was still fits.

type Ends = {
	readonly path: ChangedPath
	readonly port: number
	readonly server: { readonly old: VirtualNodeListener; readonly new: VirtualNodeListener }
	readonly caller: { readonly old: Speech; readonly new: Speech }
}

export function tlsTraps(path: ChangedPath): Trap[] {
	const old = path.before.listener
	const later = laterListener(path)
	// A listener that goes is another finding.
	if (later === undefined) return []
	const caller = { old: speechTo(old, path.policies.before), new: speechTo(later, path.policies.after) }
	// What does not work cannot be broken.
	if (!isHeard(old, caller.old)) return []
	const ends: Ends = { path, port: old.port, server: { old, new: later }, caller }
	const mode = modeTrap(ends)
	if (mode !== null) return [mode]
	if (caller.old.kind === 'plaintext' || caller.new.kind === 'plaintext') return []
	return [serverCertificateTrap(ends), missingCertificateTrap(ends), clientCertificateTrap(ends)].filter(
		(trap) => trap !== null,
	)
}

function modeTrap(ends: Ends): Trap | null {
	const { server, caller, port } = ends
	if (isHeard(server.new, caller.old) && isHeard(server.old, caller.new)) return null
	const node = ends.path.before.node.name
	if (modeOf(server.old) === modeOf(server.new)) {
		const what = `listener ${port} of ${node} takes no TLS`
		const why = 'their client policy would have them speak nothing else'
		const way = `give ${node} a second listener with TLS and move the targets to its port first, then enforce TLS in the client policy`
		return atCaller(ends, 'SL0411', { what, why, way })
	}
	return atListener(ends, 'SL0410', {
		what: `tls.mode of listener ${port} of ${node} goes from ${modeOf(server.old)} to ${modeOf(server.new)}`,
		why: 'they and the server do not change in the same instant, and until both have, one speaks TLS and the other does not',
		way: `add a second listener with the new TLS settings to ${node}, then move the targets to its port, then remove listener ${port}: each in a commit of its own`,
	})
}

/** What a server shows and what its callers accept. */
function serverCertificateTrap(ends: Ends): Trap | null {
	const { server, caller, port } = ends
	const certificate = (listener: VirtualNodeListener) => listener.tls?.certificate ?? null
	const changes = [
		!isSame(certificate(server.old), certificate(server.new)),
		!isSame(validationOf(caller.old), validationOf(caller.new)),
	]
	if (!isTorn(changes, ends)) return null
	// Who checks no longer takes the old certificate too.
	if (isSame(certificate(server.old), certificate(server.new)) && validationOf(caller.new) === null) return null
	const { name } = ends.path.before.node
	return atListener(ends, 'SL0412', {
		what: `the certificate of listener ${port} of ${name}, and what its callers accept, do not stay as they are`,
		...tornWords(ends),
	})
}

/** The server asks for certificates that its callers do not show. */
function missingCertificateTrap(ends: Ends): Trap | null {
	const { server, caller, port } = ends
	const asks = (listener: VirtualNodeListener) => (listener.tls?.validation ?? null) !== null
	const shows = (speech: Speech) => certificateOf(speech) !== null
	// What does not work cannot be broken.
	if (asks(server.old) && !shows(caller.old)) return null
	const { name } = ends.path.before.node
	if (asks(server.new) && !shows(caller.old)) {
		return atListener(ends, 'SL0413', {
			what: `listener ${port} of ${name} is to ask for client certificates`,
			why: 'they show none yet, and are refused until they do',
			way: 'give the callers a client policy with a certificate first, then add the validation',
		})
	}
	if (shows(caller.new) || !(asks(server.old) || asks(server.new))) return null
	const what = `listener ${port} of ${name} asks for client certificates`
	const why = asks(server.new)
		? 'they are to show none any more'
		: 'they are to show none any more, before the server has stopped to ask'
	const way = 'take the validation from the listener first, then the certificate from the client policy'
	return atCaller(ends, 'SL0413', { what, why, way })
}

/** What callers show and what the server accepts. */
function clientCertificateTrap(ends: Ends): Trap | null {
	const { server, caller, port } = ends
	const shown = { old: certificateOf(caller.old), new: certificateOf(caller.new) }
	const accepted = (listener: VirtualNodeListener) => listener.tls?.validation ?? null
	if (shown.old === null || shown.new === null) return null
	if (accepted(server.old) === null && accepted(server.new) === null) return null
	const changes = [!isSame(shown.old, shown.new), !isSame(accepted(server.old), accepted(server.new))]
	if (!isTorn(changes, ends)) return null
	const { name } = ends.path.before.node
	return atListener(ends, 'SL0414', {
		what: `the client certificates that listener ${port} of ${name} accepts, and those that its callers show, do not stay as they are`,
		...tornWords(ends),
	})
}

/**
 * Where one end stays, the other is taken to fit it in the end, and so it does at once. Of what carries nothing in the
 * end that says nothing: until the weights have moved, both must stay.
 */
function isTorn(changes: readonly boolean[], { path }: Ends): boolean {
	return path.end === 'left' ? changes.includes(true) : !changes.includes(false)
}

function tornWords({ path }: Ends): Pick<Words, 'why' | 'way'> {
	if (path.end === 'left') {
		return {
			why: 'the weights leave it step by step, and until they have, both ends must fit',
			way: 'move the weights in a commit of their own first',
		}
	}
	return {
		why: 'until both ends have changed, the certificate shown is not one that is accepted',
		way: 'accept the old and the new certificate first (trust and names), then change the certificate, then drop the old: each in a commit of its own',
	}
}

type Words = Pick<Trap, 'what' | 'why' | 'way'>

function atListener({ path, port }: Ends, code: Trap['code'], words: Words): Trap {
	const node = path.node ?? path.before.node
	return {
		code,
		resource: node.id,
		pointers: listenerPointers(node, port, 'tls'),
		callers: [path.call.caller.name],
		...words,
	}
}

function atCaller({ path }: Ends, code: Trap['code'], words: Words): Trap {
	const { caller } = path.call
	return { code, resource: caller.id, pointers: policyPointers(caller), callers: [caller.name], ...words }
}

function modeOf({ tls }: VirtualNodeListener): string {
	return tls?.mode ?? 'DISABLED'
}

function validationOf(speech: Speech): TlsValidation | null {
	return speech.kind === 'tls' ? speech.validation : null
}

function certificateOf(speech: Speech): Certificate | null {
	return speech.kind === 'tls' ? speech.certificate : null
}

function isSame(left: unknown, right: unknown): boolean {
	return canonicalJson(left) === canonicalJson(right)
}
