/**
 * What is made of two objects, made once: the same for the same two, and let go of with either. Both must never change
 * in what it is made of.
 */
export function madeOfBoth<First extends object, Second extends object, Made>(
	make: (first: First, second: Second) => Made,
): (first: First, second: Second) => Made {
	const known = new WeakMap<First, WeakMap<Second, { readonly made: Made }>>()
	return (first, second) => {
		let ofFirst = known.get(first)
		if (ofFirst === undefined) {
			ofFirst = new WeakMap()
			known.set(first, ofFirst)
		}
		let both = ofFirst.get(second)
		if (both === undefined) {
			both = { made: make(first, second) }
			ofFirst.set(second, both)
		}
		return both.made
	}
}
