import type { Path } from './finding.ts'

/** A value of a YAML document, with the place where it was written. Offsets are in UTF-16 units of the file's text. */
export type YamlNode = {
	readonly value: unknown
	readonly start: number
	readonly children: ReadonlyMap<string | number, YamlEntry>
	/** Values inside, itself included, and levels of mappings and lists; aliases count as often as they are used. */
	readonly nodes: number
	readonly depth: number
}

export type YamlEntry = { readonly keyStart: number; readonly node: YamlNode }

/** Where the key or value at `path` was written; of the nearest value around it when it is not there. */
export function offsetAt(document: YamlNode, path: Path, at: 'key' | 'value'): number {
	let node = document
	let offset = document.start
	for (const token of path) {
		const entry = node.children.get(token)
		if (entry === undefined) return offset
		node = entry.node
		offset = at === 'key' ? entry.keyStart : offsetOfEntry(entry)
	}
	return offset
}

/** A mapping or list is pointed at by its key, a value by itself. An entry of a list has no key but its own start. */
export function offsetOfEntry({ keyStart, node }: YamlEntry): number {
	return node.children.size > 0 ? keyStart : node.start
}
