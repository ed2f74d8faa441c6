/** Named bounds of every queue, file, wait and cache. Units are in the names. */
export const limits = {
	/** One revision (rules: motion 11). */
	fileBytes: 256 * 1024,
	revisionFiles: 10_000,
	revisionBytes: 16 * 1024 * 1024,
	yamlDepth: 32,
	yamlAliases: 50,
	/** Nodes of one file, aliases followed. */
	yamlNodes: 200_000,
	/** Nodes of all files of a revision. */
	revisionNodes: 2_000_000,
	/** Length of one key in a mapping. */
	yamlKeyChars: 256,
	/** Findings shown of one revision, and characters kept of one shown source line. */
	diagnostics: 500,
	frameChars: 300,
	/** Reading one revision happens in a worker under these. */
	readDeadlineMs: 30_000,
	/** How long the worker is kept for the next one: some 60 MB. */
	readerIdleMs: 5 * 60_000,
	/** Expectations of one revision: each is looked up in a compiled proxy. */
	expectations: 1_000,
	readHeapMb: 512,
	/** Of that, what is young: a larger one is filled before it is cleared, and kept for as long as the worker is. */
	readYoungMb: 24,
	/** Resources of a commit that are followed one by one to whom they concern; above, everything is compiled. */
	changesFollowed: 100,
	/** Resources deleted at once before a person is asked: more than max(3, 20 %). */
	massDeleteCount: 3,
	massDeleteShare: 0.2,
	/** A cluster's name: it is in the name of each of its statistics. App Mesh's parts may have 255 each. */
	clusterNameChars: 512,
	/** Names kept for people in lists that could grow with the fleet. */
	namedProxies: 20,
	/** Silent proxies named in a guard's state: it is stored with each look. */
	guardNamedProxies: 3,
	/** Of what the fleet says, in the state of a rollout: names in a list, and characters of a proxy's own words. */
	holdNames: 3,
	holdTextChars: 270,
	/** Of what a person says with a command, likewise; the journal has all of it. */
	commandTextChars: 150,
	/** Moves in which an abort by a ramp goes back, and the longest that it may take. */
	rampParts: 10,
	rampMs: 3_600_000,
	/** Texts of all its holds together. */
	holdsChars: 560,
	/**
	 * Serialised state of one rollout, apart from what its policy writes of threshold guards, in front and of users; the
	 * first two, as JSON; how many threshold guards there are.
	 */
	rolloutStateBytes: 4096,
	frontChars: 1_000,
	/** Routes of one rollout, and what their names and their different shares may take of its state. */
	groupRoutes: 8,
	groupChars: 1_200,
	thresholdGuards: 5,
	thresholdGuardsChars: 2_000,
	/** Likewise of its hooks, as JSON; characters kept of one's answer. */
	hooksChars: 1_500,
	hookTextChars: 100,
	/** The newest look may be this old and still allow a step; looks close every lookIntervalMs. */
	lookIntervalMs: 5_000,
	freshLookMs: 15_000,
	/** A plan looks no further ahead than this, whatever the deadline. */
	outlookMs: 24 * 3_600_000,
	/** Traffic is shown as what came in this time; it is remembered in spans of this length. */
	trafficWindowMs: 60_000,
	trafficSpanMs: 10_000,
	/** After the warm-up: the flush interval, one look, and a little. */
	firstLookMs: 7_000,
	/** A shared incident that begins so soon after a step may be that step's doing. */
	incidentAfterStepMs: 600_000,
	/** Silence that rolls back, where the policy says so. */
	noEvidenceMs: 60_000,
	/** Without a flush for this long (three intervals, and a little) a proxy is silent. */
	silentAfterMs: 3_500,
	/** How often silence is looked for. */
	sweepIntervalMs: 1_000,
	/** An ACK may take this long before people are told that it is missing. */
	ackGraceMs: 3_000,
	/** Proxies that a person may have taken out of what is expected, at a time. */
	excludedProxies: 100,
	/** The longest time that one may be excluded for; for more, leave the time out. */
	exclusionMs: 30 * 86_400_000,
	/** Proxies in one answer of `GET /api/v1/proxies`. */
	proxiesListed: 1_000,
	/** Share of a group's connected proxies that may refuse a step; above it the rollout goes back. */
	rejectedShare: 0.2,
	/** Share of the expected proxies that must be connected for a step forward. */
	connectedShare: 0.9,
	/** Contents of one route that were taken back and are not tried again: the newest. */
	quarantinedOfRoute: 5,
	/** Sets of changes of one mesh that went back from their waves and are remembered. */
	quarantinedWaves: 20,
	/** Changes of such a set that are told apart in a larger one; a set of more is known as a whole. */
	quarantineParts: 100,
	/** Freezes at a time, each of another scope. */
	freezes: 50,
	/** A freeze that ends by itself does so within this. */
	freezeMs: 366 * 24 * 3_600_000,
	/** Ended rollouts that status still shows; the journal keeps all. */
	endedRollouts: 20,
	/** Proxies come back to a restarted daemon within this; until then what they hold may tell of an unjournalled way back. */
	bootHoldMs: 10_000,
	/** Mixtures of ways back, of rollouts that share what carries their routes, that are looked for after a restart. */
	bootMixtures: 64,
	/** Rollouts that have succeeded of which a restart finds out that they were taken back since: the newest ones. */
	bootEnded: 4,
	/** A wave without a proof is watched at least so long after its warm-up: six looks, of which each may only say so much. */
	waveWatchedMs: 30_000,
	/** Rollouts whose proxies' readiness is not looked up again each turn. */
	readinessKept: 1_000,
	/** Meshes that lagging proxies may still hold and that a change of both ends is judged against. */
	meshesStillHeld: 4,
	/** Mixtures of two-sided changes that are judged for what can go on before every proxy has confirmed; the rest waits. */
	mixturesTried: 64,
	/** Resource versions whose making is remembered, for the place that a NACK points at. */
	suspectVersions: 20_000,
	/** Resources of any group whose bytes are known by their key. */
	encodingsShared: 200_000,
	/** An empty store waits this long for proxies that hold something already; ours come back within a second. */
	adoptionWindowMs: 1_200,
	/** A proxy's first requests, which say what it holds, follow its arrival within this. */
	adoptionGraceMs: 150,
	/** Turns of the controller. */
	turnIntervalMs: 100,
	/** While time alone can move something, a turn comes this often. */
	tickMs: 250,
	/** Elapsed times are written down at least this often while a rollout runs. */
	saveIntervalMs: 5_000,
	/** The wall clock may drift this much from the monotonic one between two turns; more is a jump. */
	wallJumpMs: 5_000,
	eventQueue: 100_000,
	/** The lab: what demo, tests and bench share. */
	partFetchMs: 300_000,
	partProbeMs: 15_000,
	labCommandMs: 30_000,
	labPollMs: 20,
	envoyReadyMs: 30_000,
	envoyStopMs: 5_000,
	envoyAdminMs: 5_000,
	motoReadyMs: 60_000,
	prometheusReadyMs: 60_000,
	childStartMs: 15_000,
	childCallMs: 20_000,
	childStopMs: 5_000,
	dnsQueriesKept: 1_000,
	loadRequestMs: 15_000,
	loadTries: 10,
	loadInFlight: 2_000,
	loadRequestsKept: 500_000,
	loadBacklogMs: 1_000,
	appDelayedRequests: 10_000,
	/** The demo: the pause between two looks at the status, the longest wait for one event, silence after which it says where it stands. */
	demoStatusMs: 100,
	demoWaitMs: 120_000,
	demoQuietMs: 8_000,
	/** Findings that a source names for one refused revision. */
	refusalFindings: 20,
	/** Longest path inside a repository, and deepest nesting of a watched folder. */
	pathCharacters: 1024,
	folderDepth: 32,
	/** Directory entries looked at in a watched folder, YAML or not. */
	folderEntries: 100_000,
	/** A folder that changes while it is read is read again so often before it counts as out of reach. */
	folderReadTries: 5,
	/** A changed folder is read once it is quiet for the first, at the latest after the second. */
	folderQuietMs: 200,
	folderQuietAtMostMs: 2_000,
	/** Waiting after a source could not be reached: full jitter, doubling from the first to the second. */
	sourceRetryFirstMs: 2_000,
	sourceRetryMostMs: 300_000,
	sourceRetryLeastMs: 200,
	/** Deadlines of one git command: asking the remote, fetching, reading the mirror; then its time to die. */
	gitAskDeadlineMs: 30_000,
	gitFetchDeadlineMs: 300_000,
	gitReadDeadlineMs: 60_000,
	gitDieMs: 5_000,
	/** How long the output of a git that has ended is waited for, when a helper of its own holds it open. */
	gitOutputEndMs: 1_000,
	/** Output of one git command: a revision with its headers, or the listing of a large tree. */
	gitOutputBytes: 64 * 1024 * 1024,
	/** Text of a commit or of git's errors that is shown to people. */
	shownTextCharacters: 400,
	/** Parts that a mesh is stored in: a change of one resource writes one of them. */
	storedParts: 64,
	/** Space kept beside the database, so that a way back can be journalled on a full disk. */
	storeReserveBytes: 256 * 1024,
	/** The database's write-ahead log is cut back to this after a checkpoint. */
	storeLogBytes: 4 * 1024 * 1024,
	/**
	 * Serving: one message of a proxy, and the names one stream may ask for in one type. The largest message is a flush of
	 * all statistics: about 4.5 KB for each cluster in use, 6.5 KB with App Mesh's tags.
	 */
	xdsMessageBytes: 4 * 1024 * 1024,
	/** Pieces of a message that is not whole yet, before they are put together. */
	xdsPiecesLoose: 64,
	/** Names of one request, and of one subscription. */
	xdsNames: 5_000,
	/** Fields of one request, and of what lies in it: its lists of names, the versions it has, a node's extensions. */
	xdsRequestFields: 40_000,
	/** A type's URL, a name, a version, a nonce; and all names of a subscription together. */
	xdsWordChars: 1_000,
	xdsNamesChars: 1_000_000,
	/** What is read of a node: its id, locality and metadata. */
	xdsNodeBytes: 64 * 1024,
	/** An IP address, its zone included. */
	xdsAddressChars: 64,
	/** Messages of one stream that the transport has not passed on yet; further ones are not even assembled. */
	xdsUnflushed: 2,
	/** A stream that has not taken a message after so long is ended. */
	xdsSendMs: 30_000,
	/** A response that is not answered after so long is treated like a refusal. */
	xdsAnswerMs: 30_000,
	/** How long a new stream waits for the proxy to say what it holds of the types that belong together (rules: serving 3). */
	xdsSettleMs: 100,
	/** A proxy that left without a drain is expected back for so long (rules: serving 7). */
	xdsGoneMs: 600_000,
	/** Streams that are pushed to before other work gets its turn. */
	xdsPushBatch: 256,
	xdsConnections: 20_000,
	/** Of these, from one address: whoever has that many leaves room for others. */
	xdsConnectionsPerAddress: 10_000,
	/** Connections that wait to be taken in: all proxies may come again at once. The system may allow fewer. */
	xdsBacklog: 4_096,
	/** Connections at a time that were begun and have sent nothing since, and how long one of them keeps others waiting. */
	xdsArrivalsAtOnce: 8,
	xdsArrivalSilentMs: 50,
	/** The same of one that had greeted, and may be far away. */
	xdsArrivalAnswerMs: 20,
	/** Of who has greeted and waits for longer than this, many others will have given up before their turn. */
	xdsArrivalLateMs: 300,
	/** How long at most others are taken in between. */
	xdsArrivalRestMs: 50,
	/** A ClientHello has some hundred bytes, with keys that outlast quantum computers some two thousand. */
	xdsGreetingBytes: 8 * 1024,
	xdsStreamsPerConnection: 16,
	/** All headers of one call. */
	xdsHeaderBytes: 16 * 1024,
	/** A connection is retired after so long, a fifth of it sooner or later; what of it is left then is cut. */
	xdsConnectionAgeMs: 3_600_000,
	xdsConnectionAgeSpread: 0.2,
	xdsRetireMs: 1_000,
	/** Of one proxy, over any number of connections: of the separate services it may have one for each resource. */
	xdsStreamsPerProxy: 1_000,
	/** Kinds of proxies that each need something else compiled, and take memory, by themselves; of one identity in a cohort. */
	xdsGroups: 10_000,
	xdsGroupsPerIdentity: 100,
	/** A stream that has said nothing is ended after so long. */
	xdsSilentMs: 30_000,
	/** A TLS handshake, all of it; and how often one that failed is told. */
	xdsHandshakeMs: 10_000,
	xdsHandshakeTellMs: 1_000,
	/** Tokens of proxies: the file that says whose they are, how many; a file with one, and its least characters. */
	xdsTokensBytes: 4 * 1024 * 1024,
	xdsTokens: 20_000,
	xdsTokenBytes: 4 * 1024,
	xdsTokenLeastChars: 32,
	/** What a peer may send before room is made for more, in a stream and in all of a connection. */
	xdsWindowBytes: 1024 * 1024,
	/**
	 * A peer that says nothing for so long is asked whether it is there; and how long it has to answer. Twice the first and
	 * once the second are less than `xdsAnswerMs`: who is gone is not taken for one who refuses.
	 */
	xdsKeepaliveMs: 8_000,
	xdsKeepaliveTimeoutMs: 8_000,
	/** Names in state of the world, kept for a type of a stream as they were written, where no other wrote them alike. */
	xdsNamesKeptBytes: 4_096,
	/** Refused (resource, version) pairs remembered of one proxy; characters of each text. */
	xdsRefusals: 100,
	xdsRefusalChars: 4_096,
	/** Proxies remembered after they left. */
	xdsProxiesRemembered: 20_000,
	/** Characters in all that is remembered of them and is of their own choice: what they refused, in which words, and names. */
	xdsRememberedChars: 32 * 1024 * 1024,
	/** Identities remembered as refused. */
	xdsGroupsRefused: 1_000,
	/** Subscriptions, and footings, that are shared between streams. */
	xdsSubscriptionsShared: 1_000,
	xdsFootingsShared: 10_000,
	/** Responses that lead from one holding to one target, the whole way or a part of it, and are kept for other streams. */
	xdsResponsesShared: 64,
	/** Telemetry: Envoy's flush interval, how many may be missing, and the pause that ends a flush of several messages. */
	flushIntervalMs: 1_000,
	flushesMissing: 3,
	flushGapMs: 10,
	/** Clusters whose values are kept room for, of flushes that are under way at once. */
	spareValues: 4_096,
	/** Buckets of one histogram: Envoy's own are 20, ours 23. */
	histogramBuckets: 64,
	/** Clusters with traffic whose errors are watched for how they vary. */
	dispersionClusters: 2_000,
	/** Endpoints of one canary whose failures are told apart. */
	endpointsToldApart: 1_000,
	/** Names of clusters and listeners that are known by their bytes, of all proxies together. */
	metricNames: 20_000,
	/** Counters remembered of one proxy, and read of one flush. */
	flushClusters: 10_000,
	/** Of all proxies that have gone and may come back: their clusters and listeners with counters. */
	goneCounters: 500_000,
	/** Clusters whose traffic is told apart in a span of time. */
	trafficClusters: 10_000,
	/** Fields of one message of metrics, and of what lies in it: one of 4 MB that Envoy fills has about half as many. */
	flushFields: 1_000_000,
	/** Envoys that are asked for their counters: how many, one answer's deadline and size; the file that names them. */
	scrapeTargets: 5_000,
	scrapeDeadlineMs: 2_000,
	scrapeBytes: 4 * 1024 * 1024,
	scrapeFileBytes: 4 * 1024 * 1024,
	scrapeFileMs: 5_000,
	/** Threshold guards: one answer's deadline, how many are asked at once, the first pause after a failure. */
	measurementDeadlineMs: 5_000,
	measurementsAtOnce: 16,
	measurementRetryMs: 1_000,
	/** Hooks: calls that are under way at once, an answer's size, one secret's least and most bytes. */
	hookCallsAtOnce: 256,
	hookAnswerBytes: 16 * 1024,
	hookSecretLeastBytes: 24,
	hookSecretBytes: 4 * 1024,
	/** Of `ended`: so many calls in vain, with pauses that double up to the second, and it counts as never heard. */
	hookEndedCalls: 20,
	hookEndedPauseMs: 300_000,
	/** Of `event`: calls for one record, the pause between them, and records that wait for one hook of one rollout. */
	hookNoticeCalls: 3,
	hookNoticePauseMs: 2_000,
	hookNoticesWaiting: 100,
	/** CloudWatch may have the values of a window so much later. */
	cloudWatchDelayMs: 120_000,
	/** How many answers are missed before a value is stale, and characters kept of a reason. */
	measurementsMissing: 3,
	measurementReasonChars: 80,
	/** One answer, one secret that is sent for it, and characters of what a source says. */
	measurementBytes: 256 * 1024,
	measurementSecretBytes: 16 * 1024,
	measurementWordsChars: 70,
	/** Discovery: how often each Cloud Map query is asked, its deadline, how many at once; the longest pause after failures. */
	cloudMapPollMs: 5_000,
	cloudMapDeadlineMs: 4_000,
	cloudMapAtOnce: 16,
	cloudMapRetryMostMs: 60_000,
	/** Instances in one answer: Cloud Map gives no more. */
	cloudMapInstances: 1_000,
	/** Some instances, then none: believed when nothing else was answered for so long. */
	cloudMapEmptyMs: 60_000,
	/** Endpoints that no mesh names any more are kept so long: a way back may name them again. */
	discoveredKeptMs: 600_000,
	/** Changes that come together are published together. */
	discoveryBatchMs: 20,
	/** The file of the last endpoints: pause before it is written, pause after a failure, how much of it is read. */
	endpointsFileDelayMs: 1_000,
	endpointsFileRetryMs: 30_000,
	endpointsFileBytes: 64 * 1024 * 1024,
	/** Certificates: one file; two reads so far apart must agree; how often is looked without a sign of a change. */
	secretFileBytes: 256 * 1024,
	secretQuietMs: 200,
	secretPollMs: 10_000,
	/** Before a certificate expires people are told, in the last part of its life and at most so long before. */
	certificateSoonShare: 0.2,
	certificateSoonMs: 7 * 86_400_000,
	/** The daemon: a heart beats in the main loop; without a beat or a due turn for the second, it is not alive. */
	heartbeatMs: 1_000,
	aliveMs: 15_000,
	/** A graceful stop, all of it; and of that, the time that proxies get to go elsewhere. */
	stopMs: 10_000,
	stopDrainMs: 3_000,
	/** Looks kept of one rollout, the first ones; and of those in one answer. */
	looksKept: 500,
	looksInAnswer: 100,
	/** Log lines that others can cause at will: how often one is told, and how many different ones. */
	repeatedLogMs: 60_000,
	repeatedLogSubjects: 100,
	/** The API: one request's body, the words in it, and how long a command may wait for its turn. */
	apiBodyBytes: 16 * 1024,
	apiActorChars: 100,
	apiReasonChars: 1_000,
	apiCommandMs: 10_000,
	apiConnections: 512,
	/** Streams of events: how many, records in one batch, the pause that a heartbeat fills, and how slow a reader may be. */
	apiEventStreams: 64,
	apiEventBatch: 100,
	apiEventHeartbeatMs: 15_000,
	apiEventStallMs: 30_000,
	/** Records looked through for one rollout's history, and shown of it. */
	apiHistoryScanned: 5_000,
	apiHistoryShown: 200,
	/** The command line: one call of the API, the pause between two looks of `--watch`, a settings file. */
	cliCallMs: 15_000,
	cliWatchMs: 1_000,
	cliSettingsBytes: 64 * 1024,
} as const
