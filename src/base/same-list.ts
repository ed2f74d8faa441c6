/** Whether these are the same values, or objects, in the same order. */
export function isSameList<Value>(left: readonly Value[], right: readonly Value[]): boolean {
	return left === right || (left.length === right.length && left.every((value, index) => value === right[index]))
}
