// Text of one file → its YAML documents with the place of every key and value. Bounded: depth, nodes and aliases are
// counted on the parser's events, and aliases by what they stand for, before a value is built. Only what JSON knows is
// read (mappings with text keys, lists, text, numbers, true, false, null); merge keys and tags are refused.
import {
	boolCoreTag,
	EVENT_ID,
	type Event,
	floatCoreTag,
	getScalarValue,
	intCoreTag,
	NOT_RESOLVED,
	nullCoreTag,
	parseEvents,
	SCALAR_STYLE,
	type ScalarEvent,
	YAMLException,
} from 'js-yaml'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import { limits } from '#base/limits.ts'
import { showValue } from './show-value.ts'
import type { YamlEntry, YamlNode } from './yaml-node.ts'

export type YamlFault = {
	readonly code: DiagnosticCode
	readonly message: string
	readonly offset: number
	/** Called only for faults that are shown. */
	readonly hint: () => string | null
}

/** The documents that are not empty, in order; none of them when anything in the file is at fault. */
export type ParsedYaml = {
	readonly documents: readonly YamlNode[]
	readonly faults: readonly YamlFault[]
	/** Values in the file, aliases followed. */
	readonly nodes: number
}

export function parseYaml(text: string): ParsedYaml {
	const events = readEvents(text)
	if (!Array.isArray(events)) return { documents: [], faults: [events], nodes: 0 }
	const builder: Builder = { text, faults: [], documents: [], anchors: new Map(), stack: [], position: 0, nodes: 0 }
	for (const event of events) {
		const stop = takeEvent(builder, event)
		if (stop !== null) return { documents: [], faults: [...builder.faults, stop], nodes: builder.nodes }
	}
	return { documents: builder.faults.length > 0 ? [] : builder.documents, faults: builder.faults, nodes: builder.nodes }
}

/** The parser counts up to two levels more than there are mappings and lists; the exact count is taken in addChild. */
const parserSlack = 2

function readEvents(text: string): Event[] | YamlFault {
	let events: Event[]
	try {
		events = parseEvents(text, { maxDepth: limits.yamlDepth + parserSlack })
	} catch (error) {
		if (!(error instanceof YAMLException)) throw error
		const offset = error.mark?.position ?? 0
		if (error.reason.startsWith('nesting exceeded'))
			return tooMuch(offset, `nested deeper than ${limits.yamlDepth} levels`)
		const hint = text.includes('\t') ? 'YAML is indented with spaces, never with tabs' : null
		return { code: 'SL0102', message: `the YAML cannot be parsed: ${error.reason}`, offset, hint: () => hint }
	}
	const aliases = events.filter((event) => event.type === EVENT_ID.ALIAS)
	const extra = aliases[limits.yamlAliases]
	if (extra !== undefined) return tooMuch(startOf(extra), `more than ${limits.yamlAliases} aliases in one file`)
	return events
}

function tooMuch(offset: number, message: string): YamlFault {
	return { code: 'SL0107', message, offset, hint: () => null }
}

type Frame = {
	readonly kind: 'document' | 'sequence' | 'mapping'
	readonly start: number
	readonly anchor: string | null
	readonly children: Map<string | number, YamlEntry>
	readonly value: unknown[] | Record<string, unknown>
	/** The key whose value comes next; null when a key comes next. */
	key: { readonly text: string; readonly start: number } | null
	nodes: number
	depth: number
}

type Builder = {
	readonly text: string
	readonly faults: YamlFault[]
	readonly documents: YamlNode[]
	readonly anchors: Map<string, YamlNode>
	readonly stack: Frame[]
	/** The last place that was read: where an empty value is said to be. */
	position: number
	nodes: number
}

/** Takes one event in; what it returns ends the reading of the file. */
function takeEvent(builder: Builder, event: Event): YamlFault | null {
	builder.position = Math.max(builder.position, startOf(event))
	const top = builder.stack.at(-1)
	switch (event.type) {
		case EVENT_ID.DOCUMENT:
			builder.anchors.clear()
			builder.stack.push(newFrame('document', builder.position, null))
			return null
		case EVENT_ID.SEQUENCE:
		case EVENT_ID.MAPPING:
			if (wantsKey(top)) return notPlainKey(event.start)
			refuseTag(builder, event)
			builder.stack.push(
				newFrame(event.type === EVENT_ID.MAPPING ? 'mapping' : 'sequence', event.start, anchorOf(builder, event)),
			)
			return null
		case EVENT_ID.SCALAR:
			return wantsKey(top) ? takeKey(builder, top, event) : takeScalar(builder, event)
		case EVENT_ID.ALIAS:
			return wantsKey(top) ? notPlainKey(startOf(event)) : takeAlias(builder, event)
		case EVENT_ID.POP:
			return closeFrame(builder)
	}
}

function newFrame(kind: Frame['kind'], start: number, anchor: string | null): Frame {
	// Without a prototype, `__proto__` and `constructor` are keys like any other. It is taken away, since an object that is
	// created without one is a hash table of twice the size.
	const value = kind === 'mapping' ? Object.setPrototypeOf({}, null) : []
	return { kind, start, anchor, children: new Map(), value, key: null, nodes: 1, depth: 1 }
}

function wantsKey(frame: Frame | undefined): frame is Frame {
	return frame?.kind === 'mapping' && frame.key === null
}

function notPlainKey(offset: number): YamlFault {
	return { code: 'SL0108', message: 'a key must be plain text', offset, hint: () => null }
}

function takeKey(builder: Builder, frame: Frame, event: ScalarEvent): YamlFault | null {
	refuseTag(builder, event)
	const start = event.valueStart < 0 ? builder.position : startOf(event)
	const text = event.valueStart < 0 ? '' : getScalarValue(builder.text, event)
	if (text.length > limits.yamlKeyChars) return tooMuch(start, `a key is longer than ${limits.yamlKeyChars} characters`)
	if (text === '<<' && event.style === SCALAR_STYLE.PLAIN) {
		const hint = 'write the fields out, or share whole values by an anchor (&name) and an alias (*name)'
		builder.faults.push({ code: 'SL0104', message: 'merge keys (<<) are not read', offset: start, hint: () => hint })
	} else if (frame.children.has(text)) {
		const message = `the key ${showValue(text)} is written twice in one mapping`
		const first = frame.children.get(text)?.keyStart
		const hint = () => `the first one is in line ${builder.text.slice(0, first).split('\n').length}; keep one`
		builder.faults.push({ code: 'SL0103', message, offset: start, hint })
	}
	frame.key = { text, start }
	return null
}

/** Of every scalar. */
const noChildren: YamlNode['children'] = new Map()

function takeScalar(builder: Builder, event: ScalarEvent): YamlFault | null {
	refuseTag(builder, event)
	const empty = event.valueStart < 0
	const start = empty ? (builder.stack.at(-1)?.key?.start ?? builder.position) : startOf(event)
	const text = empty ? '' : getScalarValue(builder.text, event)
	const value = event.style === SCALAR_STYLE.PLAIN ? resolvePlain(text) : text
	if (typeof value === 'number' && !isExact(value)) {
		const message = `the number ${showValue(text).slice(1, -1)} cannot be kept exactly`
		builder.faults.push({ code: 'SL0106', message, offset: start, hint: () => 'put it in quotes if it is text' })
	}
	const node: YamlNode = { value, start, children: noChildren, nodes: 1, depth: 0 }
	const anchor = anchorOf(builder, event)
	if (anchor !== null) builder.anchors.set(anchor, node)
	return addChild(builder, node)
}

/** YAML 1.2's core schema: `no` and dates are text, 010 is ten. */
function resolvePlain(text: string): unknown {
	for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
		const value: unknown = tag.resolve(text, false, tag.tagName)
		if (value !== NOT_RESOLVED) return value
	}
	return text
}

function isExact(value: number): boolean {
	return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

function takeAlias(builder: Builder, event: Extract<Event, { type: typeof EVENT_ID.ALIAS }>): YamlFault | null {
	const start = startOf(event)
	const name = builder.text.slice(event.anchorStart, event.anchorEnd)
	const target = builder.anchors.get(name)
	if (target === undefined) {
		const message = `the alias *${name.slice(0, limits.yamlKeyChars)} stands for nothing that is complete before it`
		return { code: 'SL0102', message, offset: start, hint: () => null }
	}
	return addChild(builder, { ...target, start })
}

function closeFrame(builder: Builder): YamlFault | null {
	const frame = builder.stack.pop()
	if (frame === undefined) return null
	if (frame.kind === 'document') {
		const root = frame.children.get(0)?.node
		if (root !== undefined && root.value !== null) builder.documents.push(root)
		return null
	}
	const { value, start, children, nodes, depth } = frame
	const node: YamlNode = { value, start, children, nodes, depth }
	if (frame.anchor !== null) builder.anchors.set(frame.anchor, node)
	return addChild(builder, node)
}

function addChild(builder: Builder, node: YamlNode): YamlFault | null {
	const parent = builder.stack.at(-1)
	if (parent === undefined) return null
	parent.nodes += node.nodes
	parent.depth = Math.max(parent.depth, node.depth + 1)
	if (builder.nodes + parent.nodes > limits.yamlNodes)
		return tooMuch(node.start, `more than ${limits.yamlNodes} values in one file`)
	if (parent.kind === 'document') builder.nodes += node.nodes
	// The levels above the parent, without the document's own frame, and those from the parent down.
	if (parent.depth + builder.stack.length - 2 > limits.yamlDepth) {
		return tooMuch(node.start, `nested deeper than ${limits.yamlDepth} levels`)
	}
	if (parent.kind === 'mapping' && parent.key !== null) {
		const { text, start } = parent.key
		parent.key = null
		if (parent.children.has(text)) return null
		parent.children.set(text, { keyStart: start, node })
		;(parent.value as Record<string, unknown>)[text] = node.value
		return null
	}
	parent.children.set(parent.children.size, { keyStart: node.start, node })
	;(parent.value as unknown[]).push(node.value)
	return null
}

function refuseTag(builder: Builder, event: { tagStart: number; tagEnd: number }): void {
	if (event.tagStart < 0) return
	const message = `the tag ${showValue(builder.text.slice(event.tagStart, event.tagEnd)).slice(1, -1)} is not read`
	const hint = 'leave the tag out; text is put in quotes'
	builder.faults.push({ code: 'SL0105', message, offset: event.tagStart, hint: () => hint })
}

function anchorOf(builder: Builder, event: { anchorStart: number; anchorEnd: number }): string | null {
	return event.anchorStart < 0 ? null : builder.text.slice(event.anchorStart, event.anchorEnd)
}

/** Where the text of an event begins; -1 when it has none. */
function startOf(event: Event): number {
	switch (event.type) {
		case EVENT_ID.SEQUENCE:
		case EVENT_ID.MAPPING:
			return event.start
		case EVENT_ID.SCALAR: {
			const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
			return quoted ? event.valueStart - 1 : event.valueStart
		}
		case EVENT_ID.ALIAS:
			return event.anchorStart - 1
		default:
			return -1
	}
}
