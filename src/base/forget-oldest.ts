type Kept<Key> = { readonly size: number; keys(): Iterable<Key>; delete(key: Key): unknown }

/** Takes out of a Map or Set what was put in first, until there are no more than that. */
export function forgetOldest<Key>(kept: Kept<Key>, most: number): void {
	for (const oldest of kept.keys()) {
		if (kept.size <= most) return
		kept.delete(oldest)
	}
}
