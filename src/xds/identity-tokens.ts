import { createHash, timingSafeEqual } from 'node:crypto'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { identityPath, type ProxyIdentity } from '#compile/compiled.ts'

// Which token proves which name, from a file with a line each: `mesh/apps/virtualNode/serviceA sha256:HEX`. The daemon
// knows hashes alone, so the file tells nobody a token. Nothing of a line is ever quoted: somebody may have written the
// token itself.

export type IdentityTokens = {
	/** Path of an identity, without a `*` in it → hashes of its tokens. */
	readonly named: ReadonlyMap<string, readonly Buffer[]>
	/** Lines with a `*`: the parts of the path, and one hash. */
	readonly patterns: readonly { readonly parts: readonly string[]; readonly hash: Buffer }[]
	/** Every hash, in hex. */
	readonly all: ReadonlySet<string>
}

/** Both count from 1. */
export type TokenProblem = { readonly line: number; readonly column: number; readonly message: string }

/** `missing`: none came. `unknown`: nobody's. `another's`: of a line, but of none that fits. */
export type TokenVerdict = 'own' | 'missing' | 'unknown' | "another's"

const identityPattern = /^mesh\/(?:\*|[\w.-]{1,255})\/(?:\*|virtualNode|virtualGateway)\/(?:\*|[\w.-]{1,255})$/
const hashPattern = /^sha256:([0-9a-fA-F]{64})$/

/** An identity may have several lines: its old token and its new one. Fails with everything that is wrong. */
export function parseIdentityTokens(text: string): Result<IdentityTokens, readonly TokenProblem[]> {
	const named = new Map<string, Buffer[]>()
	const patterns: { parts: readonly string[]; hash: Buffer }[] = []
	const all = new Set<string>()
	const problems: TokenProblem[] = []
	for (const [index, line] of text.split('\n').entries()) {
		if (/^\s*(?:#|$)/.test(line)) continue
		const read = readLine(line)
		if ('message' in read) {
			problems.push({ line: index + 1, ...read })
			continue
		}
		const { path, hash } = read
		all.add(hash.toString('hex'))
		const others = named.get(path)
		if (path.includes('*')) patterns.push({ parts: path.split('/'), hash })
		else if (others === undefined) named.set(path, [hash])
		else others.push(hash)
	}
	if (problems.length > 0) return fail(problems)
	if (all.size === 0) return fail([{ line: 1, column: 1, message: 'there is no line with an identity and a hash' }])
	if (all.size > limits.xdsTokens)
		return fail([{ line: 1, column: 1, message: `there are more than ${limits.xdsTokens} tokens` }])
	return succeed({ named, patterns, all })
}

function readLine(line: string): { path: string; hash: Buffer } | Omit<TokenProblem, 'line'> {
	const [identity, hash, more] = [...line.matchAll(/\S+/g)]
	const path = identity?.[0] ?? ''
	if (!identityPattern.test(path)) {
		const message = 'expected mesh/MESH/virtualNode/NAME or mesh/MESH/virtualGateway/NAME, or * in the place of a part'
		return { column: columnOf(identity, line), message }
	}
	const [, digits] = hashPattern.exec(hash?.[0] ?? '') ?? []
	if (digits === undefined) {
		const message = 'expected sha256: and 64 hexadecimal digits, never a token itself'
		return { column: columnOf(hash, line), message }
	}
	if (more !== undefined) return { column: columnOf(more, line), message: 'expected nothing more on this line' }
	return { path, hash: Buffer.from(digits, 'hex') }
}

/** Of a word that is not there: where it should be. */
function columnOf(word: RegExpExecArray | undefined, line: string): number {
	return (word?.index ?? line.trimEnd().length + 1) + 1
}

/** `authorization`: `Bearer TOKEN`, or the token alone. */
export function judgeToken(
	tokens: IdentityTokens,
	identity: ProxyIdentity,
	authorization: string | null,
): TokenVerdict {
	const token = (authorization ?? '').replace(/^bearer +/i, '').trim()
	if (token === '') return 'missing'
	const digest = createHash('sha256').update(token).digest()
	const path = identityPath(identity)
	const parts = path.split('/')
	const fitting = tokens.patterns.filter((pattern) =>
		pattern.parts.every((part, index) => part === '*' || part === parts[index]),
	)
	const own = [...(tokens.named.get(path) ?? []), ...fitting.map(({ hash }) => hash)]
	if (own.some((hash) => timingSafeEqual(hash, digest))) return 'own'
	return tokens.all.has(digest.toString('hex')) ? "another's" : 'unknown'
}
