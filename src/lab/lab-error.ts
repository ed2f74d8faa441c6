/** Something in the lab did not do what it was told to: what demo, tests and bench cannot go on without. */
export class LabError extends Error {
	override name = 'LabError'
	readonly code: 'deadline' | 'exited' | 'refused' | 'forgotten'

	constructor(code: LabError['code'], message: string) {
		super(message)
		this.code = code
	}
}
