/**
 * Every file at which a process or worker of Sluice begins, or that is loaded only where it is needed, by name: its
 * place in src/. The bundle holds each as dist/NAME.js, and scripts/build.ts builds those of this table.
 */
export const programs = {
	main: 'main.ts',
	'mesh-worker': 'controller/mesh-worker.ts',
	'aws-directory': 'discovery/aws-directory.ts',
	'aws-cloud-watch': 'telemetry/aws-cloud-watch.ts',
	'issue-certificate': 'cli/certs/issue-certificate.ts',
} as const

export type ProgramName = keyof typeof programs

/** Where `name` begins: its source when this runs from the sources, its bundle when this runs from dist/. */
export function entryUrl(name: ProgramName): URL {
	const here = import.meta.url
	// In the bundle this module lies in the file that was started, beside the other entries.
	return here.endsWith('/base/program.ts') ? new URL(`../${programs[name]}`, here) : new URL(`./${name}.js`, here)
}
