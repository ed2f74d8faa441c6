import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { createGroup, type Member } from '#xds/group.ts'

test('of proxies that come and go under ever new names the newest are missed', () => {
	const group = createGroup('group', new Set())
	const identity = { mesh: 'apps', kind: 'virtualNode', name: 'a' } as const
	const about: Proxy['group'] = {
		identity,
		cohort: 'stable',
		capture: { mode: 'intercept' },
		envoyMinor: '1.40',
		secrets: 'daemon',
	}
	const count = limits.xdsProxiesRemembered + 5
	for (let index = 0; index < count; index += 1) {
		const proxy = { key: `a#${index}`, instance: String(index), zone: '', group: about, groupKey: 'group' }
		const member: Member = { proxy, seats: [], group: null, place: 0, version: '' }
		group.add(member)
		group.remove(member, 'expected', index)
	}
	expect(group.view()?.expected).toBe(limits.xdsProxiesRemembered)
	// The oldest have been forgotten, so the next to be given up is the sixth.
	expect(group.expireGone(0)).toEqual({ expired: 0, nextMs: 5 + limits.xdsGoneMs })
})
