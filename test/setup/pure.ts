// Makes clock, timers and chance throw when a pure room of src/ asks for them, directly or through what it calls. The
// test around it, vitest and fast-check keep theirs: who asks is read from the stack.
import { join } from 'node:path'
import { pureRooms } from '../../scripts/walls.ts'

const source = join(import.meta.dirname, '../../src')
const pureFolders = pureRooms.map((room) => join(source, room, '/'))
const guarded = Symbol.for('sluice.pure')
const runner = /node_modules\/(@?vitest|vite|fast-check)\//
/** Deep enough to see past ajv and js-yaml. */
const stackDepth = 200

if (!(guarded in globalThis)) {
	Object.assign(globalThis, { [guarded]: true })
	globalThis.setTimeout = guardedFunction('setTimeout', setTimeout)
	globalThis.setInterval = guardedFunction('setInterval', setInterval)
	globalThis.setImmediate = guardedFunction('setImmediate', setImmediate)
	globalThis.queueMicrotask = guardedFunction('queueMicrotask', queueMicrotask)
	Math.random = guardedFunction('Math.random', Math.random)
	performance.now = guardedFunction('performance.now', performance.now.bind(performance))
	globalThis.Date = guardedDate(Date)
}

function guardedFunction<Wrapped extends (...given: never[]) => unknown>(name: string, wrapped: Wrapped): Wrapped {
	return new Proxy(wrapped, {
		apply(target, self, given) {
			refuseInPureRoom(name)
			return Reflect.apply(target, self, given)
		},
	})
}

/** A date made from a number or text is a value like any other; only the present one is not. */
function guardedDate(wrapped: DateConstructor): DateConstructor {
	const now = guardedFunction('Date.now', wrapped.now)
	return new Proxy(wrapped, {
		apply(target, self, given) {
			refuseInPureRoom('Date')
			return Reflect.apply(target, self, given)
		},
		construct(target, given, newTarget) {
			if (given.length === 0) refuseInPureRoom('new Date')
			return Reflect.construct(target, given, newTarget)
		},
		get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
	})
}

function refuseInPureRoom(name: string): void {
	const limit = Error.stackTraceLimit
	Error.stackTraceLimit = stackDepth
	const { stack = '' } = new Error('who asks')
	Error.stackTraceLimit = limit
	const callers = stack.split('\n').filter((line) => line.includes('at ') && !line.includes(import.meta.filename))
	// Vitest times the modules that a pure room imports while that room is on the stack.
	if (runner.test(callers[0] ?? '')) return
	const folder = pureFolders.find((pure) => callers.some((line) => line.includes(pure)))
	if (folder === undefined) return
	throw new Error(`${name} was called from ${folder.slice(source.length + 1, -1)}/, which is pure`)
}
