import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ApiError, ApiErrorCode } from './api.ts'

const statusOfCode: Readonly<Record<ApiErrorCode, ContentfulStatusCode>> = {
	BAD_REQUEST: 400,
	FORBIDDEN: 403,
	NOT_FOUND: 404,
	NOT_RUNNING: 409,
	NOT_QUARANTINED: 409,
	NOT_ASKED: 409,
	PAUSED: 409,
	NOT_POSSIBLE: 409,
	TOO_LARGE: 413,
	UNSUPPORTED_MEDIA_TYPE: 415,
	WRONG_HOST: 421,
	TOO_MANY: 503,
	NOT_DURABLE: 503,
	TIMEOUT: 504,
	INTERNAL: 500,
}

/** An answer that is no success, always in the same shape. */
export function answerError(context: Context, code: ApiErrorCode, message: string): Response {
	const body: ApiError = { error: { code, message } }
	return context.json(body, statusOfCode[code])
}
