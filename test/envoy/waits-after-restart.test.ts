// What waits for a secret that nobody has goes on to wait through a restart, and holds up no way back beside it.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from './fixtures/eventually.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { callerFile, callerYaml } from './fixtures/small-mesh.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

let stage: Stage

beforeAll(async () => {
	stage = await openStage({ block: 71, services: ['shop'], proxies: { 'front-1': 'front' }, stepsPercent: [50] })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

/** A service whose certificate is checked against a secret that the daemon does not have. */
const vault = () => `apiVersion: sluice/v1
kind: VirtualNode
metadata: {mesh: apps, name: vault}
spec:
  listeners: [{portMapping: {port: ${stage.port}, protocol: http2}}]
  serviceDiscovery: {dns: {hostname: shop1.apps.local}}
---
apiVersion: sluice/v1
kind: VirtualService
metadata: {mesh: apps, name: vault.apps.local}
spec: {provider: {virtualNode: {virtualNodeName: vault}}}
`
const trust = '{ enforce: true, validation: { trust: { sds: { secretName: nobody-has-it } } } }'
const toVault = `{ virtualServiceName: vault.apps.local, clientPolicy: { tls: ${trust} } }`

test('the way back of another route in the same configuration goes out after a restart', async () => {
	const { daemon } = stage
	const load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 50 })
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	await daemon.until('the first step is confirmed', ({ rollouts: [newest] }) => {
		return newest?.step === 1 && newest.confirmed ? true : null
	})
	const backends = callerYaml(['shop'], stage.port).replace(
		'backends: [',
		`backends: [{ virtualService: ${toVault} }, `,
	)
	await stage.commit('Call the vault', { 'vault.yaml': vault(), [callerFile]: backends })
	const waits = await daemon.until('it waits', ({ groups: [group] }) => (group?.waits.length ? group.waits : null))
	expect(waits[0]).toContain('nobody-has-it')

	await daemon.kill()
	await daemon.start()
	await daemon.until('the proxy is back', ({ groups: [group] }) => (group?.connected === 1 ? true : null))
	await daemon.sluice('rollout', 'abort', rollout, '--reason', 'it is night')
	await eventually('the last good shares are held', async () => {
		return (await readHeldShares(stage.envoy('front-1'), 'shop')).shop2 === undefined
	})
	await daemon.entry({ event: 'rollout.aborted', rollout })
	expect((await load.stop()).failures).toEqual({})
})
