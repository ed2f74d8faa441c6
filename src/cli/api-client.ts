import type { ApiError, ApiErrorCode } from '#api/api.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { Exit } from './exit-codes.ts'

// The command line's way to a daemon.

export type CallFailure = { readonly exit: Exit; readonly message: string }

export type ApiClient = {
	get<Answer>(path: string): Promise<Result<Answer, CallFailure>>
	post<Answer>(path: string, body: object): Promise<Result<Answer, CallFailure>>
}

/** @param address `host:port` of the API */
export function createApiClient(address: string): ApiClient {
	async function call<Answer>(path: string, request: RequestInit): Promise<Result<Answer, CallFailure>> {
		try {
			const response = await fetch(`http://${address}${path}`, {
				...request,
				redirect: 'error',
				signal: AbortSignal.timeout(limits.cliCallMs),
			})
			const body: unknown = await response.json()
			return response.ok ? succeed(body as Answer) : fail(failureOf(body as ApiError))
		} catch (error) {
			return fail(failureOfCall(error, address))
		}
	}

	return {
		get: (path) => call(path, {}),
		post: (path, body) =>
			call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
	}
}

const exitOfCode: Readonly<Record<ApiErrorCode, Exit>> = {
	BAD_REQUEST: 'usage',
	FORBIDDEN: 'denied',
	WRONG_HOST: 'denied',
	TIMEOUT: 'timeout',
	TOO_MANY: 'timeout',
	NOT_FOUND: 'failed',
	NOT_RUNNING: 'failed',
	NOT_QUARANTINED: 'failed',
	NOT_ASKED: 'failed',
	NOT_DURABLE: 'failed',
	NOT_POSSIBLE: 'failed',
	PAUSED: 'failed',
	TOO_LARGE: 'failed',
	UNSUPPORTED_MEDIA_TYPE: 'failed',
	INTERNAL: 'failed',
}

function failureOf({ error }: ApiError): CallFailure {
	return { exit: exitOfCode[error.code], message: error.message }
}

function failureOfCall(error: unknown, address: string): CallFailure {
	if (error instanceof DOMException && error.name === 'TimeoutError') {
		return { exit: 'timeout', message: `the daemon at ${address} did not answer within ${limits.cliCallMs / 1000} s` }
	}
	if (error instanceof SyntaxError) return { exit: 'unreachable', message: `what answers at ${address} is no Sluice` }
	// What fetch throws when nobody can be reached.
	if (!(error instanceof TypeError)) throw error
	const cause = error.cause instanceof Error ? error.cause.message : error.message
	return {
		exit: 'unreachable',
		message: `no Sluice answers at ${address} (${cause}): start one with \`sluice run\`, or name its API with --http`,
	}
}
