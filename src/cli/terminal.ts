import pc from 'picocolors'

/** Where a verb speaks: data on standard output, everything said to people on standard error. */
export type Terminal = {
	/** Adds the newline. */
	out(text: string): void
	talk(text: string): void
	/** True when a person looks at standard output. */
	readonly isInteractive: boolean
	readonly color: { readonly out: boolean; readonly talk: boolean }
}

type Environment = Readonly<Record<string, string | undefined>>

/** The process's own streams. Colour as https://no-color.org and FORCE_COLOR say, else where a person looks. */
export function createTerminal(environment: Environment): Terminal {
	return {
		out: (text) => void process.stdout.write(`${text}\n`),
		talk: (text) => void process.stderr.write(`${text}\n`),
		isInteractive: process.stdout.isTTY === true && environment.TERM !== 'dumb',
		color: { out: wantsColor(environment, process.stdout.isTTY), talk: wantsColor(environment, process.stderr.isTTY) },
	}
}

export function wantsColor(environment: Environment, isTty: boolean | undefined): boolean {
	if (isSet(environment.NO_COLOR)) return false
	if (isSet(environment.FORCE_COLOR)) return environment.FORCE_COLOR !== '0'
	return isTty === true && environment.TERM !== 'dumb'
}

function isSet(value: string | undefined): boolean {
	return value !== undefined && value !== ''
}

export type Paint = ReturnType<typeof pc.createColors>

export function paintFor(color: boolean): Paint {
	return pc.createColors(color)
}
