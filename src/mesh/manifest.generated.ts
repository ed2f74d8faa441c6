// Generated from schemas/ by `npm run generate:types`. Not edited by hand.

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type MeshName = string
/**
 * Which IP versions are asked for and which is taken first. Not written: as the mesh says, else both.
 */
export type MeshIpPreference = 'IPv6_PREFERRED' | 'IPv4_PREFERRED' | 'IPv4_ONLY' | 'IPv6_ONLY'

/**
 * A mesh: the services that know each other. Every other resource names the one it belongs to.
 */
export interface MeshManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'Mesh'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		name: MeshName
		mesh?: MeshName
		tags?: MeshTags
	}
	/**
	 * What holds for the whole mesh.
	 */
	spec?: {
		/**
		 * What may leave the mesh.
		 */
		egressFilter?: {
			/**
			 * ALLOW_ALL lets applications call anything; DROP_ALL only their declared backends and *.amazonaws.com.
			 */
			type: 'ALLOW_ALL' | 'DROP_ALL'
		}
		/**
		 * How host names are looked up in the whole mesh.
		 */
		serviceDiscovery?: {
			ipPreference?: MeshIpPreference
		}
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface MeshTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type VirtualNodeName = string
/**
 * A TCP port from 1 to 65535.
 */
export type VirtualNodePort = number
/**
 * What is spoken on the port: http (HTTP/1.1) or http2.
 */
export type VirtualNodeProtocol = 'http' | 'http2'
/**
 * The host name that applications call: labels of letters, digits, hyphens and underscores, separated by dots; the last one not a number.
 */
export type VirtualNodeService = string
/**
 * A DNS host name: labels of letters, digits, hyphens and underscores, separated by dots; the last one not a number.
 */
export type VirtualNodeHost = string
/**
 * Which IP versions are asked for and which is taken first. Not written: as the mesh says, else both.
 */
export type VirtualNodeIpPreference = 'IPv6_PREFERRED' | 'IPv4_PREFERRED' | 'IPv4_ONLY' | 'IPv6_ONLY'

/**
 * One version of one service: where it is found, what it listens on, and what it calls.
 */
export interface VirtualNodeManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'VirtualNode'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: VirtualNodeName
		name: VirtualNodeName
		tags?: VirtualNodeTags
	}
	/**
	 * Where the node is found, what it listens on, and what it calls.
	 */
	spec: {
		/**
		 * The ports on which the node takes traffic. Each port once.
		 *
		 * @maxItems 100
		 */
		listeners?: VirtualNodeListener[]
		/**
		 * The virtual services that the node calls. Only these are reachable from it through the mesh.
		 *
		 * @maxItems 1000
		 */
		backends?: VirtualNodeBackend[]
		/**
		 * How the addresses of the node are found. Needed when the node has listeners.
		 */
		serviceDiscovery?: {
			dns: VirtualNodeDns
		}
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface VirtualNodeTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}
/**
 * A port on which the node takes traffic.
 */
export interface VirtualNodeListener {
	portMapping: VirtualNodePortMapping
	/**
	 * Limits for requests that the node answers, under the protocol of its port.
	 */
	timeout?: {
		http?: VirtualNodeTimeout
		http2?: VirtualNodeTimeout
	}
}
/**
 * A port and what is spoken on it.
 */
export interface VirtualNodePortMapping {
	port: VirtualNodePort
	protocol: VirtualNodeProtocol
}
/**
 * How long a request may take, and how long it may be silent.
 */
export interface VirtualNodeTimeout {
	perRequest?: VirtualNodeDuration
	idle?: VirtualNodeDuration
}
/**
 * A whole number of seconds or milliseconds.
 */
export interface VirtualNodeDuration {
	/**
	 * s for seconds, ms for milliseconds.
	 */
	unit: 's' | 'ms'
	/**
	 * How many of the unit; 0 switches the limit off.
	 */
	value: number
}
/**
 * A virtual service that the node calls.
 */
export interface VirtualNodeBackend {
	/**
	 * The virtual service that is called.
	 */
	virtualService: {
		virtualServiceName: VirtualNodeService
	}
}
/**
 * The addresses are looked up in DNS.
 */
export interface VirtualNodeDns {
	hostname: VirtualNodeHost
	/**
	 * LOADBALANCER: the answer is one load balancer. ENDPOINTS: each address in the answer is an endpoint.
	 */
	responseType?: 'LOADBALANCER' | 'ENDPOINTS'
	ipPreference?: VirtualNodeIpPreference
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type VirtualServiceName = string
/**
 * The host name that applications call: labels of letters, digits, hyphens and underscores, separated by dots; the last one not a number.
 */
export type VirtualServiceService = string

/**
 * A name that applications call, and who answers it.
 */
export interface VirtualServiceManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'VirtualService'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: VirtualServiceName
		name: VirtualServiceService
		tags?: VirtualServiceTags
	}
	/**
	 * Who answers. An empty spec takes no traffic yet.
	 */
	spec: {
		/**
		 * Who answers: one virtual node, or a virtual router that spreads the traffic.
		 */
		provider?: {
			/**
			 * One virtual node answers everything.
			 */
			virtualNode?: {
				virtualNodeName: VirtualServiceName
			}
			/**
			 * The routes of a virtual router say who answers.
			 */
			virtualRouter?: {
				virtualRouterName: VirtualServiceName
			}
		}
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface VirtualServiceTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type VirtualRouterName = string
/**
 * A TCP port from 1 to 65535.
 */
export type VirtualRouterPort = number
/**
 * What is spoken on the port: http (HTTP/1.1) or http2.
 */
export type VirtualRouterProtocol = 'http' | 'http2'

/**
 * What stands behind a virtual service and spreads its traffic by routes.
 */
export interface VirtualRouterManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'VirtualRouter'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: VirtualRouterName
		name: VirtualRouterName
		tags?: VirtualRouterTags
	}
	/**
	 * The ports that applications call.
	 */
	spec: {
		/**
		 * The ports that applications call. Each port once.
		 *
		 * @maxItems 100
		 *
		 * Items: A port that applications call.
		 */
		listeners?: {
			portMapping: VirtualRouterPortMapping
		}[]
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface VirtualRouterTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}
/**
 * A port and what is spoken on it.
 */
export interface VirtualRouterPortMapping {
	port: VirtualRouterPort
	protocol: VirtualRouterProtocol
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type RouteName = string
/**
 * A TCP port from 1 to 65535.
 */
export type RoutePort = number

/**
 * Which requests to a virtual router go to which virtual nodes, and in what shares.
 */
export interface RouteManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'Route'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: RouteName
		virtualRouter: RouteName
		name: RouteName
		tags?: RouteTags
	}
	/**
	 * Which requests the route takes, and where they go.
	 */
	spec: {
		/**
		 * 0 to 1000; the lowest number is tried first. Not written: after all others.
		 */
		priority?: number
		httpRoute?: RouteHttpRoute
		http2Route?: RouteHttpRoute
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface RouteTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}
/**
 * Which requests the route takes, and where they go.
 */
export interface RouteHttpRoute {
	match: RouteMatch
	/**
	 * Where the requests go.
	 */
	action: {
		/**
		 * 1 to 10 virtual nodes that share the requests by weight.
		 *
		 * @minItems 1
		 * @maxItems 10
		 */
		weightedTargets: RouteWeightedTarget[]
	}
	retryPolicy?: RouteRetryPolicy
	timeout?: RouteTimeout
}
/**
 * Which requests the route takes; all the conditions must hold.
 */
export interface RouteMatch {
	/**
	 * What the path begins with; starts with a slash.
	 */
	prefix?: string
	/**
	 * The whole path, as text or as a regular expression.
	 */
	path?: {
		/**
		 * The path itself; starts with a slash.
		 */
		exact?: string
		/**
		 * A regular expression in RE2 syntax for the whole path, at most 255 characters.
		 */
		regex?: string
	}
	/**
	 * The method of the request.
	 */
	method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'CONNECT' | 'OPTIONS' | 'TRACE' | 'PATCH'
	/**
	 * The scheme of the request.
	 */
	scheme?: 'http' | 'https'
	/**
	 * Conditions on headers, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	headers?: RouteHeaderMatch[]
	port?: RoutePort
}
/**
 * A condition on one header.
 */
export interface RouteHeaderMatch {
	/**
	 * 1 to 50 characters that a header name may have.
	 */
	name: string
	/**
	 * true: the route takes the requests for which the condition does not hold.
	 */
	invert?: boolean
	/**
	 * What the value must be. Not written: the header must be there.
	 */
	match?: {
		/**
		 * The value itself, at most 255 characters.
		 */
		exact?: string
		/**
		 * What the value begins with, at most 255 characters.
		 */
		prefix?: string
		/**
		 * What the value ends with, at most 255 characters.
		 */
		suffix?: string
		/**
		 * A regular expression in RE2 syntax for the whole value, at most 255 characters.
		 */
		regex?: string
		/**
		 * Whole numbers from start up to, but not including, end.
		 */
		range?: {
			/**
			 * The first number in the range.
			 */
			start: number
			/**
			 * The first number after the range.
			 */
			end: number
		}
	}
}
/**
 * A virtual node and its weight.
 */
export interface RouteWeightedTarget {
	virtualNode: RouteName
	/**
	 * A whole number from 0; a target gets its weight divided by the sum of all weights.
	 */
	weight: number
	port?: RoutePort
}
/**
 * When a failed request is tried again.
 */
export interface RouteRetryPolicy {
	/**
	 * How often a request is tried again, at most.
	 */
	maxRetries: number
	perRetryTimeout: RouteDuration
	/**
	 * Answers after which a request is tried again: server-error (500 to 508, 510, 511), gateway-error (502, 503, 504), client-error (409), stream-error (refused stream).
	 *
	 * @minItems 1
	 * @maxItems 25
	 *
	 * Items: A kind of answer after which a request is tried again.
	 */
	httpRetryEvents?: ('server-error' | 'gateway-error' | 'client-error' | 'stream-error')[]
	/**
	 * Faults of the connection after which a request is tried again.
	 *
	 * @minItems 1
	 * @maxItems 1
	 *
	 * Items: A fault of the connection.
	 */
	tcpRetryEvents?: 'connection-error'[]
}
/**
 * A whole number of seconds or milliseconds.
 */
export interface RouteDuration {
	/**
	 * s for seconds, ms for milliseconds.
	 */
	unit: 's' | 'ms'
	/**
	 * How many of the unit; 0 switches the limit off.
	 */
	value: number
}
/**
 * How long a request may take, and how long it may be silent.
 */
export interface RouteTimeout {
	perRequest?: RouteDuration
	idle?: RouteDuration
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type RolloutPolicyName = string
/**
 * Whole numbers with the units h, m, s and ms, the largest first: 90s, 1m30s, 500ms.
 */
export type RolloutPolicyTime = string

/**
 * How new weights are brought in: by which steps, watched by which guards, within which time. Everything not written has a default.
 */
export interface RolloutPolicyManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'RolloutPolicy'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: RolloutPolicyName
		name: RolloutPolicyName
		tags?: RolloutPolicyTags
	}
	/**
	 * Steps, guards and limits of time.
	 */
	spec?: {
		/**
		 * The routes the policy speaks for. Empty: all of the mesh. The policy that names the most wins.
		 */
		match?: {
			virtualRouter?: RolloutPolicyName
			route?: RolloutPolicyName
		}
		/**
		 * 1 to 50 steps on the way to the weights in the route, which are always the last step.
		 *
		 * @minItems 1
		 * @maxItems 50
		 */
		steps?: RolloutPolicyStep[]
		/**
		 * What watches each step. Each kind once.
		 *
		 * @minItems 1
		 * @maxItems 10
		 */
		guards?: RolloutPolicyErrorsGuard[]
		deadline?: RolloutPolicyTime
		/**
		 * What happens when nothing is measured: hold, or rollBack.
		 */
		onNoEvidence?: 'hold' | 'rollBack'
		bake?: RolloutPolicyTime
		warmUp?: RolloutPolicyTime
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface RolloutPolicyTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}
/**
 * A share for the rising targets, and how long it is watched.
 */
export interface RolloutPolicyStep {
	/**
	 * The share of the traffic of the route, in percent, that the rising targets get together.
	 */
	weight: number
	minDuration?: RolloutPolicyTime
	/**
	 * The rising targets answer at least this many requests in the step.
	 */
	minRequests?: number
}
/**
 * Compares the share of failed requests of the new version with that of the old one.
 */
export interface RolloutPolicyErrorsGuard {
	/**
	 * errors: the share of failed requests.
	 */
	kind: 'errors'
	/**
	 * The chance, over the whole rollout, to roll back a version that is no worse: above 0, at most 0.5.
	 */
	alpha?: number
	/**
	 * The new version may fail this many times as often as the old one, from 1 to 100.
	 */
	toleranceRatio?: number
	/**
	 * Percentage points that the new version may fail more often, on top of the ratio.
	 */
	tolerance?: number
	/**
	 * Where there is nothing to compare with: the share of failed requests, in percent, that is still accepted.
	 */
	absoluteLimit?: number
	/**
	 * The share of failed requests, in percent, at which the rollout goes back at once.
	 */
	hardLimit?: number
}

/** Any document, once its schema holds. */
export type Manifest = MeshManifest | VirtualNodeManifest | VirtualServiceManifest | VirtualRouterManifest | RouteManifest | RolloutPolicyManifest
