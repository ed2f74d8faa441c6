/**
 * What is made for an object under a name, made once, and let go of with the object. That must never change in what it
 * is made of. It has no bound of its own: names are to be few for each object.
 */
export function madeFor<Owner extends object, Made>(): (owner: Owner, name: string, make: () => Made) => Made {
	const known = new WeakMap<Owner, Map<string, { readonly made: Made }>>()
	return (owner, name, make) => {
		let ofOwner = known.get(owner)
		if (ofOwner === undefined) {
			ofOwner = new Map()
			known.set(owner, ofOwner)
		}
		let named = ofOwner.get(name)
		if (named === undefined) {
			named = { made: make() }
			ofOwner.set(name, named)
		}
		return named.made
	}
}
