/** Freezes plain data all the way down and gives it back. */
export function deepFreeze<Value>(value: Value): Value {
	if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
		Object.freeze(value)
		for (const member of Object.values(value)) deepFreeze(member)
	}
	return value
}
