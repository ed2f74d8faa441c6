import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Revision } from '#source/revision.ts'
import type { SourceEvent } from '#source/source.ts'
import type { CommandReply, ControllerCommand } from './commands.ts'
import type { Controller } from './controller.ts'
import { openSource, type SourceSettings } from './open-source.ts'
import type { SourcePort } from './ports.ts'

/**
 * The source and the commands: taking in a refused revision concerns the controller and the source. The source delivers
 * what it refused itself; what it had handed on, and the controller refused (a mass delete), is brought from here.
 */
export type SourceDesk = {
	start(): void
	poll(): Promise<void>
	command(command: ControllerCommand): Promise<CommandReply>
	close(): Promise<void>
}

export type SourceDeskOptions = {
	readonly settings: SourceSettings
	readonly stateDirectory: string
	readonly ports: { readonly clock: Clock; readonly log: Log; readonly random: Random }
	readonly controller: Controller
}

export function createSourceDesk({ settings, stateDirectory, ports, controller }: SourceDeskOptions): SourceDesk {
	const { acceptedByHand } = controller.view().state
	/** The newest revision that the source handed on. The source takes it as taken; the controller may have refused it. */
	let handedOn: Revision | null = null

	function take(event: SourceEvent): void {
		if (event.kind === 'revision') handedOn = event.revision
		controller.takeSource(event)
	}

	const port: SourcePort = openSource(settings, {
		...ports,
		emit: take,
		mirrorDirectory: join(stateDirectory, 'mirror.git'),
		accepted: () => controller.view().state.accepted?.info.id ?? null,
	})

	async function command(asked: ControllerCommand): Promise<CommandReply> {
		const reply = await controller.command(asked)
		if (asked.kind === 'accept' && reply.kind === 'done') bring(asked.revision)
		return reply
	}

	function bring(id: string): void {
		if (handedOn?.id === id) controller.takeSource({ kind: 'revision', revision: handedOn })
		else void port.accept(id)
	}

	return {
		start() {
			port.start()
			// Accepted before the daemon was last stopped, and not brought by the source since.
			if (acceptedByHand !== null) bring(acceptedByHand.revision)
		},
		poll: () => port.poll(),
		command,
		close: () => port.close(),
	}
}
