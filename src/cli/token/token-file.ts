import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { limits } from '#base/limits.ts'
import { readBoundedFile } from '#base/read-bounded-file.ts'
import { fail, type Result, succeed } from '#base/result.ts'

// The file in which a proxy has its token. What is wrong with one is said without anything of it.

const tokenPattern = /^[A-Za-z0-9._~+/-]+=*$/
const randomLength = 32

/** The token in this file; where there is no file, one that is made by chance and written there for its owner alone. */
export async function readOrMakeToken(file: string): Promise<Result<string, string>> {
	const read = await readBoundedFile(file, limits.xdsTokenBytes)
	if (!read.ok) return fail(`is one ${read.error}`)
	if (read.value === null) return makeToken(file)
	const problem = whatIsWrong(read.value)
	return problem === null ? succeed(read.value) : fail(problem)
}

/** Why Envoy, or the daemon, could do nothing with this file, or null. One that is not there may still come. */
export async function whyNoToken(file: string): Promise<string | null> {
	const read = await readBoundedFile(file, limits.xdsTokenBytes)
	if (!read.ok) return `is one ${read.error}`
	return read.value === null ? null : whatIsWrong(read.value)
}

async function makeToken(file: string): Promise<Result<string, string>> {
	const token = randomBytes(randomLength).toString('base64url')
	try {
		await writeFile(file, token, { flag: 'wx', mode: 0o600 })
		return succeed(token)
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
		return fail(`cannot be written (${code})`)
	}
}

/** Whoever has the hash of a short one can find it. */
function whatIsWrong(text: string): string | null {
	if (/\s$/.test(text)) return 'ends with a line break or a blank, which Envoy would send along: write it without'
	if (!tokenPattern.test(text)) return 'has more in it than letters, digits and . _ ~ + / - ='
	const most = limits.xdsTokenLeastChars
	return text.length < most ? `has a token of fewer than ${most} characters, which could be guessed` : null
}
