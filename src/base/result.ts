/** The outcome of something that may fail in a way its caller must answer for. */
export type Result<Value, Failure> =
	| { readonly ok: true; readonly value: Value }
	| { readonly ok: false; readonly error: Failure }

export function succeed<Value>(value: Value): { readonly ok: true; readonly value: Value } {
	return { ok: true, value }
}

export function fail<Failure>(error: Failure): { readonly ok: false; readonly error: Failure } {
	return { ok: false, error }
}
