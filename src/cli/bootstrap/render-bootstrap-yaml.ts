import { dump } from 'js-yaml'
import { identityPath } from '#compile/compiled.ts'
import type { BootstrapOptions } from './bootstrap-options.ts'
import { makeBootstrap } from './make-bootstrap.ts'

/** The bootstrap as a file for people to keep: a head that says what it is, then YAML. The same options, the same bytes. */
export function renderBootstrapYaml(options: BootstrapOptions): string {
	const [first] = options.controlPlane
	const head = [
		`# Envoy's bootstrap for ${identityPath(options.identity)}, instance ${options.instance}.`,
		`# Made by \`sluice bootstrap\`; everything else comes from Sluice at ${first.address}:${first.port}.`,
		'# Start it with: envoy -c THIS_FILE',
	]
	return `${head.join('\n')}\n${dump(makeBootstrap(options), { lineWidth: -1, noRefs: true })}`
}
