import { limits } from '#base/limits.ts'
import { durationToMs } from '../duration.ts'
import { errorAt, type Finding, type Path, pathToText } from '../finding.ts'
import type { HookSpec } from '../hook-spec.ts'
import type { RolloutPolicyHook } from '../manifest.generated.ts'
import { defaultHook } from '../rollout-policy.ts'
import { checkAskedUrl } from './asked-url.ts'
import { checkTime } from './bounded-time.ts'

/** What is not written is as in `defaultHook`. */
export function readHook({ name, point, url, secret, timeout, interval }: RolloutPolicyHook): HookSpec {
	return {
		name,
		point,
		url,
		secret,
		timeoutMs: timeout === undefined ? defaultHook.timeoutMs : durationToMs(timeout),
		intervalMs: interval === undefined ? defaultHook.intervalMs : durationToMs(interval),
	}
}

/** `path` leads to the list. They are stored with each rollout of their policy, so all together are bounded. */
export function checkHooks(hooks: readonly RolloutPolicyHook[], path: Path): readonly Finding[] {
	const size = JSON.stringify(hooks).length
	const tooLarge = `the hooks of the policy take ${size} characters; expected at most ${limits.hooksChars}`
	return [
		...hooks.flatMap((hook, index) => [...checkName(hooks, index, path), ...checkHook(hook, [...path, index])]),
		...(size > limits.hooksChars ? [errorAt(path, 'SL0208', tooLarge)] : []),
	]
}

function checkName(hooks: readonly RolloutPolicyHook[], index: number, path: Path): Finding[] {
	const name = hooks[index]?.name
	if (hooks.findIndex((other) => other.name === name) === index) return []
	return [errorAt([...path, index, 'name'], 'SL0213', `there is a hook of the name ${name} already`)]
}

function checkHook({ url, timeout, interval }: RolloutPolicyHook, path: Path): Finding[] {
	const at = [...path, 'url']
	const variable = errorAt(
		at,
		'SL0250',
		`${pathToText(at)} has a variable; what it would say is in the body of each call`,
	)
	return [
		...(url.includes('{{') ? [variable] : checkAskedUrl(url, at)),
		...checkTime(timeout, { least: '100ms', most: '10m' }, [...path, 'timeout']),
		...checkTime(interval, { least: '1s', most: '1h' }, [...path, 'interval']),
	]
}
