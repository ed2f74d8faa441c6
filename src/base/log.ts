/** Named values of one log line. Never a secret: what holds one has no readable form. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/** The log, as a port: one event name a line, in dotted lower case (`git.poll.failed`). */
export type Log = {
	debug(event: string, fields?: LogFields): void
	info(event: string, fields?: LogFields): void
	warn(event: string, fields?: LogFields): void
	error(event: string, fields?: LogFields): void
}

/** Drops everything; for tests and offline verbs. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
