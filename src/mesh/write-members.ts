/** A mapping of a document, with its members in the order in which they are written. */
export type Written = { readonly [member: string]: unknown }

/** What is null or not given is not written: reading fills it in again. */
export function writeMembers(members: Written): Written {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== undefined))
}

/** A list that may be left out when it is empty. */
export function writeList(list: readonly unknown[]): readonly unknown[] | null {
	return list.length === 0 ? null : list
}

/** A mapping that may be left out when it has no members. */
export function writeUnlessEmpty(members: Written): Written | null {
	const written = writeMembers(members)
	return Object.keys(written).length === 0 ? null : written
}

/** App Mesh's form of a duration; null stays null. */
export function writeDuration(ms: number | null): Written | null {
	if (ms === null) return null
	return ms % 1000 === 0 ? { unit: 's', value: ms / 1000 } : { unit: 'ms', value: ms }
}
