import { fail } from '#base/result.ts'
import type { Store, StoreFailure } from '#store/store.ts'

/** Which of a store's calls can fail with a code of its own. */
export type WritingCall = 'commit' | 'nextEpoch'

/**
 * A store whose writes fail where `faultOf` says so; `call` counts them from 1. A failed write changes nothing, as the
 * port promises. `(call) => (call === n ? 'full' : null)` with n = 1, 2, 3 … tries every place.
 */
export function createFaultyStore(
	store: Store,
	faultOf: (call: number, method: WritingCall) => StoreFailure['code'] | null,
): Store {
	let calls = 0

	function nextFault(method: WritingCall): StoreFailure | null {
		calls += 1
		const code = faultOf(calls, method)
		return code === null ? null : { code, message: `${method} fails: fault at call ${calls}` }
	}

	return {
		...store,
		async commit(transaction) {
			const fault = nextFault('commit')
			return fault === null ? store.commit(transaction) : fail(fault)
		},
		async nextEpoch() {
			const fault = nextFault('nextEpoch')
			return fault === null ? store.nextEpoch() : fail(fault)
		},
	}
}
