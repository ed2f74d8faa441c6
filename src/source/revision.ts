/**
 * What a source hands on: the files of one commit (or of a folder, as they were at one moment).
 * Read from a bare mirror by object id, or from a folder; never from a work tree that Sluice made.
 */
export type Revision = {
	/** The commit's full object id; for a folder `folder:` and the hash of its content. */
	readonly id: string
	readonly author: string
	/** First line of the commit's message. */
	readonly message: string
	/** The commit's own time, in ms since 1970; for a folder the time it was read. */
	readonly timeMs: number
	/** Path inside the repository, below the configured path → bytes. YAML files only, sorted by path. */
	readonly files: ReadonlyMap<string, Uint8Array>
}

/** Who and what a revision is, without its content: what state, status and journal keep. */
export type RevisionInfo = Pick<Revision, 'id' | 'author' | 'message' | 'timeMs'>
