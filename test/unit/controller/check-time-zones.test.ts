import { expect, test } from 'vitest'
import { checkTimeZones } from '#controller/check-time-zones.ts'
import { readMesh } from '#mesh/read-mesh.ts'

const policy = (timeZone: string) => `apiVersion: sluice/v1
kind: Mesh
metadata: {name: apps}
---
apiVersion: sluice/v1
kind: RolloutPolicy
metadata: {mesh: apps, name: office}
spec:
  windows:
    - {from: "09:00", timeZone: UTC}
    - {from: "09:00", timeZone: ${timeZone}}
`

function check(timeZone: string) {
	const files = new Map([['mesh.yaml', new TextEncoder().encode(policy(timeZone))]])
	return checkTimeZones(readMesh(files), files)
}

test('a name that is misspelt is an error at its place, with the nearest one', () => {
	const outcome = check('Europe/Berln')
	expect(
		outcome.kind === 'refused' && outcome.diagnostics.filter(({ severity }) => severity === 'error'),
	).toMatchObject([
		{
			code: 'SL0258',
			file: 'mesh.yaml',
			line: 11,
			message: 'the time zone "Europe/Berln" is not known; expected an IANA name',
			hint: 'did you mean "Europe/Berlin"?',
		},
	])
})

test('a name that is known is taken in', () => {
	expect(check('Europe/Berlin').kind).toBe('ok')
})
