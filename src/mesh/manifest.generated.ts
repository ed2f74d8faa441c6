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
 * A path on the machine of the proxy: 1 to 255 characters, none of them a control character.
 */
export type MeshFile = string
/**
 * A host name or an IP address.
 */
export type MeshCollectorAddress = string
/**
 * A TCP port from 1 to 65535.
 */
export type MeshPort = number
/**
 * An IPv4 address: four numbers from 0 to 255.
 */
export type MeshIpv4Address = string
/**
 * A path on the machine of the proxy: 1 to 255 characters, no control characters, and not under /dev, /proc or /sys, where Envoy reads nothing.
 */
export type MeshPemFile = string
/**
 * An IPv4 or IPv6 address.
 */
export type MeshIpAddress = string

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
		logging?: MeshLogging
		tracing?: MeshTracing
		stats?: MeshStats
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
 * What is written down of each request.
 */
export interface MeshLogging {
	/**
	 * A line for each request.
	 */
	accessLog?: {
		/**
		 * A file on the machine of the proxy.
		 */
		file?: {
			path: MeshFile
			format?: MeshAccessLogFormat
		}
	}
}
/**
 * What is written of each request: text or json.
 */
export interface MeshAccessLogFormat {
	/**
	 * A line with Envoy's command operators, of 1 to 1000 characters. It should end with a line break.
	 */
	text?: string
	/**
	 * The members of a JSON object, in any order.
	 *
	 * @maxItems 1000
	 *
	 * Items: A member of the JSON object.
	 */
	json?: {
		/**
		 * The name of the member: 1 to 100 characters.
		 */
		key: string
		/**
		 * Its value, with Envoy's command operators: 1 to 100 characters.
		 */
		value: string
	}[]
}
/**
 * Which requests are traced, and where their spans are sent: exactly one of openTelemetry, zipkin, xray and datadog.
 */
export interface MeshTracing {
	/**
	 * The share of requests that the proxy decides to trace, in percent, to four decimal places. Not written: 5 with xray, else 100.
	 */
	sampling?: number
	/**
	 * OTLP over gRPC.
	 */
	openTelemetry?: {
		address: MeshCollectorAddress
		port?: MeshPort
		/**
		 * What the proxy is called in traces; its own name when not written. 1 to 255 characters, none of them a control character.
		 */
		serviceName?: string
	}
	/**
	 * Zipkin's own form, version 2; Jaeger takes it too.
	 */
	zipkin?: {
		address: MeshCollectorAddress
		port?: MeshPort
		/**
		 * Where spans are posted: a slash, then visible ASCII characters.
		 */
		path?: string
		/**
		 * How spans are written.
		 */
		encoding?: 'JSON' | 'PROTO'
	}
	/**
	 * The daemon of AWS X-Ray.
	 */
	xray?: {
		address?: MeshIpv4Address
		port?: MeshPort
		/**
		 * What the proxy is called in traces; MESH/NAME when not written. 1 to 255 characters, none of them a control character.
		 */
		segmentName?: string
		samplingRuleManifest?: MeshPemFile
	}
	/**
	 * The agent of Datadog.
	 */
	datadog?: {
		address: MeshCollectorAddress
		port?: MeshPort
		/**
		 * What the proxy is called in traces; its own name when not written. 1 to 255 characters, none of them a control character.
		 */
		serviceName?: string
	}
}
/**
 * Where the proxy sends its counters, and where it shows them. It takes them up when it starts.
 */
export interface MeshStats {
	/**
	 * Counters are sent to StatsD over UDP.
	 */
	statsd?: {
		address: MeshIpAddress
		port?: MeshPort
		/**
		 * What all names begin with: 1 to 100 letters, digits, dots, hyphens or underscores.
		 */
		prefix?: string
		/**
		 * dogstatsd writes tags, statsd puts their values into the names.
		 */
		format?: 'statsd' | 'dogstatsd'
	}
	/**
	 * Where the proxy answers /stats/prometheus.
	 */
	prometheus?: {
		address?: MeshIpAddress
		port: MeshPort
	}
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
 * What is spoken on the port: http (HTTP/1.1), http2, grpc or tcp.
 */
export type VirtualNodeProtocol = 'http' | 'http2' | 'grpc' | 'tcp'
/**
 * A path on the machine of the proxy: 1 to 255 characters, no control characters, and not under /dev, /proc or /sys, where Envoy reads nothing.
 */
export type VirtualNodePemFile = string
/**
 * The name of a secret: 1 to 1024 characters, none of them a control character.
 */
export type VirtualNodeSecretName = string
/**
 * The host name that applications call (labels of letters, digits, hyphens and underscores, separated by dots; the last one not a number), or its ARN: arn:aws:appmesh:REGION:ACCOUNT:mesh/MESH/virtualService/NAME.
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
 * An IPv4 or IPv6 address.
 */
export type VirtualNodeIpAddress = string
/**
 * A path on the machine of the proxy: 1 to 255 characters, none of them a control character.
 */
export type VirtualNodeFile = string
/**
 * A host name or an IP address.
 */
export type VirtualNodeCollectorAddress = string
/**
 * An IPv4 address: four numbers from 0 to 255.
 */
export type VirtualNodeIpv4Address = string

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
		backendDefaults?: VirtualNodeBackendDefaults
		/**
		 * How the addresses of the node are found: exactly one of dns, awsCloudMap and static. Needed when the node has listeners.
		 */
		serviceDiscovery?: {
			dns?: VirtualNodeDns
			awsCloudMap?: VirtualNodeAwsCloudMap
			static?: VirtualNodeStatic
		}
		logging?: VirtualNodeLogging
		tracing?: VirtualNodeTracing
		stats?: VirtualNodeStats
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
	 * Limits for what the node answers, under the protocol of its port.
	 */
	timeout?: {
		http?: VirtualNodeTimeout
		http2?: VirtualNodeTimeout
		grpc?: VirtualNodeTimeout
		tcp?: VirtualNodeTcpTimeout
	}
	tls?: VirtualNodeListenerTls
	healthCheck?: VirtualNodeHealthCheck
	outlierDetection?: VirtualNodeOutlierDetection
	connectionPool?: VirtualNodeConnectionPool
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
	 * How many of the unit: 0 to 9000000000, as Envoy takes no more.
	 */
	value: number
}
/**
 * How long a connection may be silent.
 */
export interface VirtualNodeTcpTimeout {
	idle?: VirtualNodeDuration
}
/**
 * How connections to the port are protected.
 */
export interface VirtualNodeListenerTls {
	/**
	 * STRICT takes TLS only, PERMISSIVE takes both, DISABLED takes no TLS.
	 */
	mode: 'STRICT' | 'PERMISSIVE' | 'DISABLED'
	/**
	 * What the port shows of itself: exactly one of acm, file and sds.
	 */
	certificate: {
		/**
		 * A certificate of AWS Certificate Manager. Sluice reads it from its certificates directory, under the last part of the ARN.
		 */
		acm?: {
			/**
			 * The ARN of a certificate: arn:aws:acm:REGION:ACCOUNT:certificate/ID.
			 */
			certificateArn: string
		}
		file?: VirtualNodeFileCertificate
		sds?: VirtualNodeSdsSecret
	}
	/**
	 * Clients must show a certificate (mutual TLS). Not written: they need none.
	 */
	validation?: {
		/**
		 * Who may have signed the certificates of clients: exactly one of file and sds.
		 */
		trust: {
			file?: VirtualNodeFileTrust
			sds?: VirtualNodeSdsSecret
		}
		subjectAlternativeNames?: VirtualNodeSubjectAlternativeNames
	}
}
/**
 * A certificate in files on the machine of the proxy.
 */
export interface VirtualNodeFileCertificate {
	certificateChain: VirtualNodePemFile
	privateKey: VirtualNodePemFile
}
/**
 * A secret that the proxy asks for, by the name of a secret.
 */
export interface VirtualNodeSdsSecret {
	secretName: VirtualNodeSecretName
}
/**
 * Authorities in a file on the machine of the proxy.
 */
export interface VirtualNodeFileTrust {
	certificateChain: VirtualNodePemFile
}
/**
 * Names, one of which the certificate must have.
 */
export interface VirtualNodeSubjectAlternativeNames {
	/**
	 * How the names are compared.
	 */
	match: {
		/**
		 * Names, one of which must be in the certificate just as it is written.
		 *
		 * @maxItems 1000
		 *
		 * Items: A name of 1 to 254 characters: a host name, or a URI.
		 */
		exact: string[]
	}
}
/**
 * How it is found out whether the port can take traffic. Run by the proxy of every caller against every endpoint.
 */
export interface VirtualNodeHealthCheck {
	/**
	 * What the check speaks.
	 */
	protocol: 'http' | 'http2' | 'grpc' | 'tcp'
	/**
	 * What is asked for with http or http2: visible ASCII characters, the first one a slash.
	 */
	path?: string
	port?: VirtualNodePort
	/**
	 * Answers in a row that make an endpoint healthy: 2 to 10.
	 */
	healthyThreshold: number
	/**
	 * Failures in a row that make an endpoint unhealthy: 2 to 10.
	 */
	unhealthyThreshold: number
	/**
	 * Milliseconds between two checks: 5000 to 300000.
	 */
	intervalMillis: number
	/**
	 * Milliseconds until a check has failed: 2000 to 60000.
	 */
	timeoutMillis: number
}
/**
 * When the proxies of callers leave an endpoint alone for a while.
 */
export interface VirtualNodeOutlierDetection {
	/**
	 * Answers with 5xx in a row after which an endpoint is left alone.
	 */
	maxServerErrors: number
	interval: VirtualNodeDuration
	baseEjectionDuration: VirtualNodeDuration
	/**
	 * The share of endpoints that may be left alone at one time, in percent. One always may.
	 */
	maxEjectionPercent: number
}
/**
 * How much goes through the port at one time, under the protocol of the port.
 */
export interface VirtualNodeConnectionPool {
	/**
	 * Limits on a port that speaks http.
	 */
	http?: {
		/**
		 * Connections at one time.
		 */
		maxConnections: number
		/**
		 * Requests that wait for a connection.
		 */
		maxPendingRequests?: number
	}
	/**
	 * Limits on a port that speaks http2.
	 */
	http2?: {
		/**
		 * Requests at one time.
		 */
		maxRequests: number
	}
	/**
	 * Limits on a port that speaks grpc.
	 */
	grpc?: {
		/**
		 * Requests at one time.
		 */
		maxRequests: number
	}
	/**
	 * Limits on a port that speaks tcp.
	 */
	tcp?: {
		/**
		 * Connections at one time.
		 */
		maxConnections: number
	}
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
		clientPolicy?: VirtualNodeClientPolicy
		egressPort?: VirtualNodePort
	}
}
/**
 * How connections to a service are protected.
 */
export interface VirtualNodeClientPolicy {
	/**
	 * TLS towards the service. Not written: the listener of the service decides.
	 */
	tls?: {
		/**
		 * true: always TLS. false: TLS only towards listeners that offer it.
		 */
		enforce?: boolean
		/**
		 * Ports of the service for which this holds. Not written: all.
		 *
		 * @maxItems 100
		 */
		ports?: VirtualNodePort[]
		/**
		 * What the client shows of itself (mutual TLS): exactly one of file and sds.
		 */
		certificate?: {
			file?: VirtualNodeFileCertificate
			sds?: VirtualNodeSdsSecret
		}
		/**
		 * Whose certificates are accepted.
		 */
		validation: {
			/**
			 * Who may have signed the certificate of the service: exactly one of acm, file and sds.
			 */
			trust: {
				/**
				 * Authorities of AWS Private CA. Sluice reads each from its certificates directory, under the last part of its ARN.
				 */
				acm?: {
					/**
					 * 1 to 3 ARNs of authorities: arn:aws:acm-pca:REGION:ACCOUNT:certificate-authority/ID.
					 *
					 * @minItems 1
					 * @maxItems 3
					 *
					 * Items: The ARN of an authority: arn:aws:acm-pca:REGION:ACCOUNT:certificate-authority/ID.
					 */
					certificateAuthorityArns: string[]
				}
				file?: VirtualNodeFileTrust
				sds?: VirtualNodeSdsSecret
			}
			subjectAlternativeNames?: VirtualNodeSubjectAlternativeNames
		}
	}
}
/**
 * What holds for every backend that does not say otherwise.
 */
export interface VirtualNodeBackendDefaults {
	clientPolicy?: VirtualNodeClientPolicy
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
 * The addresses are instances of a service in AWS Cloud Map.
 */
export interface VirtualNodeAwsCloudMap {
	/**
	 * The namespace of the service: 1 to 1024 characters.
	 */
	namespaceName: string
	/**
	 * The service: 1 to 1024 characters.
	 */
	serviceName: string
	/**
	 * What an instance must have, all of it, to be an endpoint of the node.
	 *
	 * @maxItems 100
	 *
	 * Items: An attribute that an instance must have.
	 */
	attributes?: {
		/**
		 * 1 to 255 visible ASCII characters.
		 */
		key: string
		/**
		 * 1 to 1024 visible ASCII characters, spaces or tabs, the first one no space or tab.
		 */
		value: string
	}[]
	ipPreference?: VirtualNodeIpPreference
}
/**
 * The addresses are written down.
 */
export interface VirtualNodeStatic {
	/**
	 * 1 to 1000 endpoints.
	 *
	 * @minItems 1
	 * @maxItems 1000
	 *
	 * Items: An address, and the port there.
	 */
	endpoints: {
		address: VirtualNodeIpAddress
		port?: VirtualNodePort
	}[]
}
/**
 * What is written down of each request.
 */
export interface VirtualNodeLogging {
	/**
	 * A line for each request.
	 */
	accessLog?: {
		/**
		 * A file on the machine of the proxy.
		 */
		file?: {
			path: VirtualNodeFile
			format?: VirtualNodeAccessLogFormat
		}
	}
}
/**
 * What is written of each request: text or json.
 */
export interface VirtualNodeAccessLogFormat {
	/**
	 * A line with Envoy's command operators, of 1 to 1000 characters. It should end with a line break.
	 */
	text?: string
	/**
	 * The members of a JSON object, in any order.
	 *
	 * @maxItems 1000
	 *
	 * Items: A member of the JSON object.
	 */
	json?: {
		/**
		 * The name of the member: 1 to 100 characters.
		 */
		key: string
		/**
		 * Its value, with Envoy's command operators: 1 to 100 characters.
		 */
		value: string
	}[]
}
/**
 * Which requests are traced, and where their spans are sent: exactly one of openTelemetry, zipkin, xray and datadog.
 */
export interface VirtualNodeTracing {
	/**
	 * The share of requests that the proxy decides to trace, in percent, to four decimal places. Not written: 5 with xray, else 100.
	 */
	sampling?: number
	/**
	 * OTLP over gRPC.
	 */
	openTelemetry?: {
		address: VirtualNodeCollectorAddress
		port?: VirtualNodePort
		/**
		 * What the proxy is called in traces; its own name when not written. 1 to 255 characters, none of them a control character.
		 */
		serviceName?: string
	}
	/**
	 * Zipkin's own form, version 2; Jaeger takes it too.
	 */
	zipkin?: {
		address: VirtualNodeCollectorAddress
		port?: VirtualNodePort
		/**
		 * Where spans are posted: a slash, then visible ASCII characters.
		 */
		path?: string
		/**
		 * How spans are written.
		 */
		encoding?: 'JSON' | 'PROTO'
	}
	/**
	 * The daemon of AWS X-Ray.
	 */
	xray?: {
		address?: VirtualNodeIpv4Address
		port?: VirtualNodePort
		/**
		 * What the proxy is called in traces; MESH/NAME when not written. 1 to 255 characters, none of them a control character.
		 */
		segmentName?: string
		samplingRuleManifest?: VirtualNodePemFile
	}
	/**
	 * The agent of Datadog.
	 */
	datadog?: {
		address: VirtualNodeCollectorAddress
		port?: VirtualNodePort
		/**
		 * What the proxy is called in traces; its own name when not written. 1 to 255 characters, none of them a control character.
		 */
		serviceName?: string
	}
}
/**
 * Where the proxy sends its counters, and where it shows them. It takes them up when it starts.
 */
export interface VirtualNodeStats {
	/**
	 * Counters are sent to StatsD over UDP.
	 */
	statsd?: {
		address: VirtualNodeIpAddress
		port?: VirtualNodePort
		/**
		 * What all names begin with: 1 to 100 letters, digits, dots, hyphens or underscores.
		 */
		prefix?: string
		/**
		 * dogstatsd writes tags, statsd puts their values into the names.
		 */
		format?: 'statsd' | 'dogstatsd'
	}
	/**
	 * Where the proxy answers /stats/prometheus.
	 */
	prometheus?: {
		address?: VirtualNodeIpAddress
		port: VirtualNodePort
	}
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
 * What is spoken on the port: http (HTTP/1.1), http2, grpc or tcp.
 */
export type VirtualRouterProtocol = 'http' | 'http2' | 'grpc' | 'tcp'

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
 * 1 to 255 letters, digits, dots, hyphens or underscores.
 */
export type RouteGrpcService = string

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
		grpcRoute?: RouteGrpcRoute
		tcpRoute?: RouteTcpRoute
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
	action: RouteAction
	retryPolicy?: RouteRetryPolicy
	timeout?: RouteTimeout
}
/**
 * Which requests the route takes; all the conditions must hold.
 */
export interface RouteMatch {
	/**
	 * What the path begins with; starts with a slash and is at most 2048 characters long.
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
	 * The scheme of the request. App Mesh knows it on http2 routes only.
	 */
	scheme?: 'http' | 'https'
	/**
	 * Conditions on headers, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	headers?: RouteHeaderMatch[]
	/**
	 * Conditions on parameters of the query, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	queryParameters?: RouteQueryParameter[]
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
 * A condition on one parameter of the query.
 */
export interface RouteQueryParameter {
	/**
	 * 1 to 256 characters; upper and lower case are different.
	 */
	name: string
	/**
	 * What the value must be. Not written: the parameter must be there.
	 */
	match?: {
		/**
		 * The value itself, at most 2048 characters.
		 */
		exact?: string
	}
}
/**
 * Where the requests go.
 */
export interface RouteAction {
	/**
	 * 1 to 10 virtual nodes that share the requests by weight.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	weightedTargets: RouteWeightedTarget[]
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
	 * How many of the unit: 0 to 9000000000, as Envoy takes no more; 0 switches the limit off.
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
 * Which gRPC requests the route takes, and where they go.
 */
export interface RouteGrpcRoute {
	match: RouteGrpcMatch
	action: RouteAction
	retryPolicy?: RouteGrpcRetryPolicy
	timeout?: RouteTimeout
}
/**
 * Which gRPC requests the route takes; all the conditions must hold. Empty: all.
 */
export interface RouteGrpcMatch {
	serviceName?: RouteGrpcService
	/**
	 * A method of the service, 1 to 50 letters, digits, dots, hyphens or underscores; needs serviceName.
	 */
	methodName?: string
	/**
	 * Conditions on metadata, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	metadata?: RouteHeaderMatch[]
	port?: RoutePort
}
/**
 * When a failed request is tried again.
 */
export interface RouteGrpcRetryPolicy {
	/**
	 * How often a request is tried again, at most.
	 */
	maxRetries: number
	perRetryTimeout: RouteDuration
	/**
	 * gRPC statuses after which a request is tried again, 1 to 5.
	 *
	 * @minItems 1
	 * @maxItems 5
	 *
	 * Items: A gRPC status after which a request is tried again.
	 */
	grpcRetryEvents?: ('cancelled' | 'deadline-exceeded' | 'internal' | 'resource-exhausted' | 'unavailable')[]
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
 * Where connections go.
 */
export interface RouteTcpRoute {
	/**
	 * Which connections the route takes.
	 */
	match?: {
		port?: RoutePort
	}
	action: RouteAction
	/**
	 * How long a connection may be silent.
	 */
	timeout?: {
		idle?: RouteDuration
	}
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type VirtualGatewayName = string
/**
 * A TCP port from 1 to 65535.
 */
export type VirtualGatewayPort = number
/**
 * What is spoken on the port: http (HTTP/1.1), http2, or grpc.
 */
export type VirtualGatewayProtocol = 'http' | 'http2' | 'grpc'
/**
 * A path on the machine of the proxy: 1 to 255 characters, no control characters, and not under /dev, /proc or /sys, where Envoy reads nothing.
 */
export type VirtualGatewayPemFile = string
/**
 * The name of a secret: 1 to 1024 characters, none of them a control character.
 */
export type VirtualGatewaySecretName = string
/**
 * A path on the machine of the proxy: 1 to 255 characters, none of them a control character.
 */
export type VirtualGatewayFile = string
/**
 * A host name or an IP address.
 */
export type VirtualGatewayCollectorAddress = string
/**
 * An IPv4 address: four numbers from 0 to 255.
 */
export type VirtualGatewayIpv4Address = string
/**
 * An IPv4 or IPv6 address.
 */
export type VirtualGatewayIpAddress = string

/**
 * Where traffic from outside enters the mesh. Its gateway routes say where it goes.
 */
export interface VirtualGatewayManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'VirtualGateway'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: VirtualGatewayName
		name: VirtualGatewayName
		tags?: VirtualGatewayTags
	}
	/**
	 * What the gateway listens on, and how it calls services.
	 */
	spec: {
		/**
		 * The ports on which the gateway takes traffic. Each port once.
		 *
		 * @maxItems 100
		 */
		listeners: VirtualGatewayListener[]
		backendDefaults?: VirtualGatewayBackendDefaults
		logging?: VirtualGatewayLogging
		tracing?: VirtualGatewayTracing
		stats?: VirtualGatewayStats
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface VirtualGatewayTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}
/**
 * A port on which the gateway takes traffic.
 */
export interface VirtualGatewayListener {
	portMapping: VirtualGatewayPortMapping
	tls?: VirtualGatewayListenerTls
	healthCheck?: VirtualGatewayHealthCheck
	connectionPool?: VirtualGatewayConnectionPool
}
/**
 * A port and what is spoken on it.
 */
export interface VirtualGatewayPortMapping {
	port: VirtualGatewayPort
	protocol: VirtualGatewayProtocol
}
/**
 * How connections to the port are protected.
 */
export interface VirtualGatewayListenerTls {
	/**
	 * STRICT takes TLS only, PERMISSIVE takes both, DISABLED takes no TLS.
	 */
	mode: 'STRICT' | 'PERMISSIVE' | 'DISABLED'
	/**
	 * What the port shows of itself: exactly one of acm, file and sds.
	 */
	certificate: {
		/**
		 * A certificate of AWS Certificate Manager. Sluice reads it from its certificates directory, under the last part of the ARN.
		 */
		acm?: {
			/**
			 * The ARN of a certificate: arn:aws:acm:REGION:ACCOUNT:certificate/ID.
			 */
			certificateArn: string
		}
		file?: VirtualGatewayFileCertificate
		sds?: VirtualGatewaySdsSecret
	}
	/**
	 * Clients must show a certificate (mutual TLS). Not written: they need none.
	 */
	validation?: {
		/**
		 * Who may have signed the certificates of clients: exactly one of file and sds.
		 */
		trust: {
			file?: VirtualGatewayFileTrust
			sds?: VirtualGatewaySdsSecret
		}
		subjectAlternativeNames?: VirtualGatewaySubjectAlternativeNames
	}
}
/**
 * A certificate in files on the machine of the proxy.
 */
export interface VirtualGatewayFileCertificate {
	certificateChain: VirtualGatewayPemFile
	privateKey: VirtualGatewayPemFile
}
/**
 * A secret that the proxy asks for, by the name of a secret.
 */
export interface VirtualGatewaySdsSecret {
	secretName: VirtualGatewaySecretName
}
/**
 * Authorities in a file on the machine of the proxy.
 */
export interface VirtualGatewayFileTrust {
	certificateChain: VirtualGatewayPemFile
}
/**
 * Names, one of which the certificate must have.
 */
export interface VirtualGatewaySubjectAlternativeNames {
	/**
	 * How the names are compared.
	 */
	match: {
		/**
		 * Names, one of which must be in the certificate just as it is written.
		 *
		 * @maxItems 1000
		 *
		 * Items: A name of 1 to 254 characters: a host name, or a URI.
		 */
		exact: string[]
	}
}
/**
 * How it is found out whether the port can take traffic. It is kept, and no proxy runs it.
 */
export interface VirtualGatewayHealthCheck {
	/**
	 * What the check speaks.
	 */
	protocol: 'http' | 'http2' | 'grpc'
	/**
	 * What is asked for with http or http2: visible ASCII characters, the first one a slash.
	 */
	path?: string
	port?: VirtualGatewayPort
	/**
	 * Answers in a row that make an endpoint healthy: 2 to 10.
	 */
	healthyThreshold: number
	/**
	 * Failures in a row that make an endpoint unhealthy: 2 to 10.
	 */
	unhealthyThreshold: number
	/**
	 * Milliseconds between two checks: 5000 to 300000.
	 */
	intervalMillis: number
	/**
	 * Milliseconds until a check has failed: 2000 to 60000.
	 */
	timeoutMillis: number
}
/**
 * How much goes through the port at one time, under the protocol of the port.
 */
export interface VirtualGatewayConnectionPool {
	/**
	 * Limits on a port that speaks http.
	 */
	http?: {
		/**
		 * Connections at one time.
		 */
		maxConnections: number
		/**
		 * Requests that wait for a connection.
		 */
		maxPendingRequests?: number
	}
	/**
	 * Limits on a port that speaks http2.
	 */
	http2?: {
		/**
		 * Requests at one time.
		 */
		maxRequests: number
	}
	/**
	 * Limits on a port that speaks grpc.
	 */
	grpc?: {
		/**
		 * Requests at one time.
		 */
		maxRequests: number
	}
}
/**
 * What holds for every backend that does not say otherwise.
 */
export interface VirtualGatewayBackendDefaults {
	clientPolicy?: VirtualGatewayClientPolicy
}
/**
 * How connections to a service are protected.
 */
export interface VirtualGatewayClientPolicy {
	/**
	 * TLS towards the service. Not written: the listener of the service decides.
	 */
	tls?: {
		/**
		 * true: always TLS. false: TLS only towards listeners that offer it.
		 */
		enforce?: boolean
		/**
		 * Ports of the service for which this holds. Not written: all.
		 *
		 * @maxItems 100
		 */
		ports?: VirtualGatewayPort[]
		/**
		 * What the client shows of itself (mutual TLS): exactly one of file and sds.
		 */
		certificate?: {
			file?: VirtualGatewayFileCertificate
			sds?: VirtualGatewaySdsSecret
		}
		/**
		 * Whose certificates are accepted.
		 */
		validation: {
			/**
			 * Who may have signed the certificate of the service: exactly one of acm, file and sds.
			 */
			trust: {
				/**
				 * Authorities of AWS Private CA. Sluice reads each from its certificates directory, under the last part of its ARN.
				 */
				acm?: {
					/**
					 * 1 to 3 ARNs of authorities: arn:aws:acm-pca:REGION:ACCOUNT:certificate-authority/ID.
					 *
					 * @minItems 1
					 * @maxItems 3
					 *
					 * Items: The ARN of an authority: arn:aws:acm-pca:REGION:ACCOUNT:certificate-authority/ID.
					 */
					certificateAuthorityArns: string[]
				}
				file?: VirtualGatewayFileTrust
				sds?: VirtualGatewaySdsSecret
			}
			subjectAlternativeNames?: VirtualGatewaySubjectAlternativeNames
		}
	}
}
/**
 * What is written down of each request.
 */
export interface VirtualGatewayLogging {
	/**
	 * A line for each request.
	 */
	accessLog?: {
		/**
		 * A file on the machine of the proxy.
		 */
		file?: {
			path: VirtualGatewayFile
			format?: VirtualGatewayAccessLogFormat
		}
	}
}
/**
 * What is written of each request: text or json.
 */
export interface VirtualGatewayAccessLogFormat {
	/**
	 * A line with Envoy's command operators, of 1 to 1000 characters. It should end with a line break.
	 */
	text?: string
	/**
	 * The members of a JSON object, in any order.
	 *
	 * @maxItems 1000
	 *
	 * Items: A member of the JSON object.
	 */
	json?: {
		/**
		 * The name of the member: 1 to 100 characters.
		 */
		key: string
		/**
		 * Its value, with Envoy's command operators: 1 to 100 characters.
		 */
		value: string
	}[]
}
/**
 * Which requests are traced, and where their spans are sent: exactly one of openTelemetry, zipkin, xray and datadog.
 */
export interface VirtualGatewayTracing {
	/**
	 * The share of requests that the proxy decides to trace, in percent, to four decimal places. Not written: 5 with xray, else 100.
	 */
	sampling?: number
	/**
	 * OTLP over gRPC.
	 */
	openTelemetry?: {
		address: VirtualGatewayCollectorAddress
		port?: VirtualGatewayPort
		/**
		 * What the proxy is called in traces; its own name when not written. 1 to 255 characters, none of them a control character.
		 */
		serviceName?: string
	}
	/**
	 * Zipkin's own form, version 2; Jaeger takes it too.
	 */
	zipkin?: {
		address: VirtualGatewayCollectorAddress
		port?: VirtualGatewayPort
		/**
		 * Where spans are posted: a slash, then visible ASCII characters.
		 */
		path?: string
		/**
		 * How spans are written.
		 */
		encoding?: 'JSON' | 'PROTO'
	}
	/**
	 * The daemon of AWS X-Ray.
	 */
	xray?: {
		address?: VirtualGatewayIpv4Address
		port?: VirtualGatewayPort
		/**
		 * What the proxy is called in traces; MESH/NAME when not written. 1 to 255 characters, none of them a control character.
		 */
		segmentName?: string
		samplingRuleManifest?: VirtualGatewayPemFile
	}
	/**
	 * The agent of Datadog.
	 */
	datadog?: {
		address: VirtualGatewayCollectorAddress
		port?: VirtualGatewayPort
		/**
		 * What the proxy is called in traces; its own name when not written. 1 to 255 characters, none of them a control character.
		 */
		serviceName?: string
	}
}
/**
 * Where the proxy sends its counters, and where it shows them. It takes them up when it starts.
 */
export interface VirtualGatewayStats {
	/**
	 * Counters are sent to StatsD over UDP.
	 */
	statsd?: {
		address: VirtualGatewayIpAddress
		port?: VirtualGatewayPort
		/**
		 * What all names begin with: 1 to 100 letters, digits, dots, hyphens or underscores.
		 */
		prefix?: string
		/**
		 * dogstatsd writes tags, statsd puts their values into the names.
		 */
		format?: 'statsd' | 'dogstatsd'
	}
	/**
	 * Where the proxy answers /stats/prometheus.
	 */
	prometheus?: {
		address?: VirtualGatewayIpAddress
		port: VirtualGatewayPort
	}
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type GatewayRouteName = string
/**
 * A TCP port from 1 to 65535.
 */
export type GatewayRoutePort = number
/**
 * The host name that applications call: labels of letters, digits, hyphens and underscores, separated by dots; the last one not a number.
 */
export type GatewayRouteService = string
/**
 * 1 to 255 letters, digits, dots, hyphens or underscores.
 */
export type GatewayRouteGrpcService = string

/**
 * Which requests to a virtual gateway go to which virtual service.
 */
export interface GatewayRouteManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'GatewayRoute'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: GatewayRouteName
		virtualGateway: GatewayRouteName
		name: GatewayRouteName
		tags?: GatewayRouteTags
	}
	/**
	 * Which requests the gateway route takes, and which virtual service gets them.
	 */
	spec: {
		/**
		 * 0 to 1000; the lowest number is tried first. Not written: after all others.
		 */
		priority?: number
		httpRoute?: GatewayRouteHttpRoute
		http2Route?: GatewayRouteHttpRoute
		grpcRoute?: GatewayRouteGrpcRoute
	}
}
/**
 * Free labels. They do not change what is served.
 */
export interface GatewayRouteTags {
	/**
	 * Text of at most 256 characters; put numbers and true or false in quotes.
	 */
	[k: string]: string
}
/**
 * Which requests the gateway route takes, and where they go.
 */
export interface GatewayRouteHttpRoute {
	match: GatewayRouteMatch
	action: GatewayRouteHttpAction
}
/**
 * Which requests the gateway route takes; all the conditions must hold. Empty: all.
 */
export interface GatewayRouteMatch {
	/**
	 * What the path begins with; starts with a slash and is at most 2048 characters long.
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
	hostname?: GatewayRouteHostname
	/**
	 * The method of the request.
	 */
	method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'CONNECT' | 'OPTIONS' | 'TRACE' | 'PATCH'
	/**
	 * Conditions on headers, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	headers?: GatewayRouteHeaderMatch[]
	/**
	 * Conditions on parameters of the query, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	queryParameters?: GatewayRouteQueryParameter[]
	port?: GatewayRoutePort
}
/**
 * The host that the client asks for: the whole name or its end.
 */
export interface GatewayRouteHostname {
	/**
	 * The host name, at most 253 characters: letters, digits, dots, hyphens and underscores.
	 */
	exact?: string
	/**
	 * What the host name ends with, at most 253 characters: letters, digits, dots, hyphens and underscores; an asterisk may stand before them.
	 */
	suffix?: string
}
/**
 * A condition on one header.
 */
export interface GatewayRouteHeaderMatch {
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
 * A condition on one parameter of the query.
 */
export interface GatewayRouteQueryParameter {
	/**
	 * 1 to 256 characters; upper and lower case are different.
	 */
	name: string
	/**
	 * What the value must be. Not written: the parameter must be there.
	 */
	match?: {
		/**
		 * The value itself, at most 2048 characters.
		 */
		exact?: string
	}
}
/**
 * Where the requests go, and what is changed in them.
 */
export interface GatewayRouteHttpAction {
	target: GatewayRouteTarget
	/**
	 * What is changed in the requests.
	 */
	rewrite?: {
		hostname?: GatewayRouteHostnameRewrite
		/**
		 * What becomes of the matched prefix; only with a match by prefix.
		 */
		prefix?: {
			/**
			 * ENABLED: the matched prefix becomes a slash. DISABLED: the path stays as it is.
			 */
			defaultPrefix?: 'ENABLED' | 'DISABLED'
			/**
			 * What the matched prefix becomes: a slash, then at most 254 visible ASCII characters.
			 */
			value?: string
		}
		/**
		 * What the whole path becomes; only with a match by path.
		 */
		path?: {
			/**
			 * The new path: a slash, then at most 254 visible ASCII characters.
			 */
			exact: string
		}
	}
}
/**
 * The virtual service that gets the requests.
 */
export interface GatewayRouteTarget {
	/**
	 * The virtual service that gets the requests.
	 */
	virtualService: {
		virtualServiceName: GatewayRouteService
	}
	port?: GatewayRoutePort
}
/**
 * Which host the virtual service is asked for.
 */
export interface GatewayRouteHostnameRewrite {
	/**
	 * ENABLED: the host becomes the name of the virtual service. DISABLED: it stays what the client asked for.
	 */
	defaultTargetHostname?: 'ENABLED' | 'DISABLED'
}
/**
 * Which gRPC requests the gateway route takes, and where they go.
 */
export interface GatewayRouteGrpcRoute {
	match: GatewayRouteGrpcMatch
	action: GatewayRouteGrpcAction
}
/**
 * Which gRPC requests the gateway route takes; all the conditions must hold. Empty: all.
 */
export interface GatewayRouteGrpcMatch {
	serviceName?: GatewayRouteGrpcService
	hostname?: GatewayRouteHostname
	/**
	 * Conditions on metadata, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	metadata?: GatewayRouteHeaderMatch[]
	port?: GatewayRoutePort
}
/**
 * Where the requests go, and what is changed in them.
 */
export interface GatewayRouteGrpcAction {
	target: GatewayRouteTarget
	/**
	 * What is changed in the requests.
	 */
	rewrite?: {
		hostname?: GatewayRouteHostnameRewrite
	}
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
 * 1 to 255 characters.
 */
export type RolloutPolicyAwsName = string
/**
 * A region of AWS, such as eu-west-1.
 */
export type RolloutPolicyRegion = string
/**
 * A URL that begins with http:// or https://, at most 500 characters.
 */
export type RolloutPolicyUrl = string
/**
 * 1 to 64 letters, digits, hyphens or underscores.
 */
export type RolloutPolicyCredentials = string
/**
 * A JSON pointer (RFC 6901): empty, or parts that each begin with a slash; at most 200 characters.
 */
export type RolloutPolicyPointer = string

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
		 * 1 to 4 matches. While a rollout runs, from its first step on, a request that one of them matches goes to the rising targets whatever their share.
		 *
		 * @minItems 1
		 * @maxItems 4
		 */
		front?: RolloutPolicyFrontMatch[]
		sticky?: RolloutPolicySticky
		/**
		 * What watches each step: of each kind one, and of thresholds several with names of their own.
		 *
		 * @minItems 1
		 * @maxItems 10
		 */
		guards?: (RolloutPolicyErrorsGuard | RolloutPolicyLatencyGuard | RolloutPolicyThresholdGuard)[]
		/**
		 * true: nothing is asked for before a step but its duration. With a reason, and without guards.
		 */
		unguarded?: boolean
		/**
		 * Why nothing guards the rollouts: 1 to 300 characters.
		 */
		reason?: string
		deadline?: RolloutPolicyTime
		/**
		 * What happens when a deadline has passed, of a step or of the rollout: hold, or rollBack.
		 */
		onDeadline?: 'hold' | 'rollBack'
		/**
		 * What happens when the deadline of a step has passed and the rising targets have had no request: hold, advance or rollBack. As onDeadline, when it is not written.
		 */
		onNoTraffic?: 'hold' | 'advance' | 'rollBack'
		/**
		 * What happens when the deadline of a step has passed and there were too few requests to tell: hold, advance or rollBack. As onDeadline, when it is not written.
		 */
		onInconclusive?: 'hold' | 'advance' | 'rollBack'
		/**
		 * What happens when nothing is measured: hold, or rollBack.
		 */
		onNoEvidence?: 'hold' | 'rollBack'
		/**
		 * What happens when new and old version fail alike, beside that no step is taken: stepBack takes back a step that was taken less than 10 minutes before, hold does nothing more, rollBack goes back to the last good weights.
		 */
		onSharedIncident?: 'stepBack' | 'hold' | 'rollBack'
		/**
		 * Routes of one virtual router that one commit shifts towards the same targets: join makes them one rollout, in which what goes wrong on one takes all back; split gives each a rollout of its own.
		 */
		group?: 'join' | 'split'
		bake?: RolloutPolicyTime
		/**
		 * The bake is done while the old version keeps this share of the traffic, in percent, so that the comparison goes on; only then it loses the rest. Not written: it keeps nothing.
		 */
		holdBack?: number
		warmUp?: RolloutPolicyTime
		/**
		 * Up to 7 windows in which rollouts may start and go forward. None: always. A way back never waits for one.
		 *
		 * @minItems 1
		 * @maxItems 7
		 */
		windows?: RolloutPolicyWindow[]
		/**
		 * Up to 5 HTTP endpoints that are told of each rollout, or asked whether it may go on. Who may be called is up to the daemon.
		 *
		 * @minItems 1
		 * @maxItems 5
		 */
		hooks?: RolloutPolicyHook[]
		waves?: RolloutPolicyWaves
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
	 * The share of the traffic of the route, in percent, that the rising targets get together. 0 only in a first step that has a mirror, or in a policy with front.
	 */
	weight: number
	/**
	 * Only of a step of weight 0: so many percent of the requests are sent to the rising targets as well. What they answer is thrown away, what they write is not. HTTP and gRPC only.
	 */
	mirror?: number
	minDuration?: RolloutPolicyTime
	/**
	 * The rising targets answer at least this many requests in the step.
	 */
	minRequests?: number
	warmUp?: RolloutPolicyTime
	/**
	 * True: the step ends only when a person has approved it. The guards go on meanwhile.
	 */
	gate?: boolean
	deadline?: RolloutPolicyTime
}
/**
 * Conditions on requests that the route takes; all of them must hold. headers and queryParameters are for HTTP routes, metadata for gRPC routes.
 */
export interface RolloutPolicyFrontMatch {
	/**
	 * Conditions on headers, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	headers?: RolloutPolicyHeaderMatch[]
	/**
	 * Conditions on parameters of the query, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	queryParameters?: RolloutPolicyQueryParameter[]
	/**
	 * Conditions on metadata, 1 to 10.
	 *
	 * @minItems 1
	 * @maxItems 10
	 */
	metadata?: RolloutPolicyHeaderMatch[]
}
/**
 * A condition on one header.
 */
export interface RolloutPolicyHeaderMatch {
	/**
	 * 1 to 50 characters that a header name may have.
	 */
	name: string
	/**
	 * true: the match takes the requests for which the condition does not hold.
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
 * A condition on one parameter of the query.
 */
export interface RolloutPolicyQueryParameter {
	/**
	 * 1 to 256 characters; upper and lower case are different.
	 */
	name: string
	/**
	 * What the value must be. Not written: the parameter must be there.
	 */
	match?: {
		/**
		 * The value itself, at most 2048 characters.
		 */
		exact?: string
	}
}
/**
 * What says which user a request is of. Exactly one.
 */
export interface RolloutPolicySticky {
	/**
	 * A header: 1 to 50 characters that a header name may have.
	 */
	header?: string
	/**
	 * A cookie: 1 to 50 characters that the name of a cookie may have.
	 */
	cookie?: string
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
/**
 * Compares the share of requests that took long with that of the old version. Its evidence shares the alpha of the errors guard.
 */
export interface RolloutPolicyLatencyGuard {
	/**
	 * latency: the share of slow requests.
	 */
	kind: 'latency'
	threshold?: RolloutPolicyTime
	/**
	 * So many times as many requests of the new version may be slow, from 1 to 100.
	 */
	toleranceRatio?: number
	/**
	 * Percentage points of the requests that may be slow on top of the ratio.
	 */
	tolerance?: number
}
/**
 * Holds a figure that somebody else measures against fixed bounds, as long as the rising targets have traffic.
 */
export interface RolloutPolicyThresholdGuard {
	/**
	 * threshold: a figure of another system.
	 */
	kind: 'threshold'
	/**
	 * What people know the figure by: 1 to 64 letters, digits, hyphens or underscores.
	 */
	name: string
	source: RolloutPolicyThresholdSource
	/**
	 * A value below this is a breach.
	 */
	min?: number
	/**
	 * A value above this is a breach.
	 */
	max?: number
	interval?: RolloutPolicyTime
	window?: RolloutPolicyTime
	/**
	 * So many values in bounds are needed before a step is left.
	 */
	minMeasurements?: number
	breaches?: RolloutPolicyBreaches
	/**
	 * What happens when the source gives no value: hold, or after a minute rollBack.
	 */
	onNoData?: 'hold' | 'rollBack'
}
/**
 * Whom to ask for the figure. Exactly one.
 */
export interface RolloutPolicyThresholdSource {
	/**
	 * A statistic of one metric over the newest whole window.
	 */
	cloudWatchMetric?: {
		namespace: RolloutPolicyAwsName
		metricName: RolloutPolicyAwsName
		/**
		 * All dimensions of the metric; their values may use the same variables as a Prometheus query.
		 */
		dimensions?: {
			[k: string]: RolloutPolicyAwsName
		}
		/**
		 * Average, Sum, Minimum, Maximum, SampleCount, or a percentile such as p99.9.
		 */
		statistic: string
		/**
		 * A window with fewer samples is no data.
		 */
		minSamples?: number
		region?: RolloutPolicyRegion
	}
	/**
	 * Alarms, metric or composite: a breach when one of them is in the state ALARM.
	 */
	cloudWatchAlarm?: {
		/**
		 * 1 to 20 names of alarms; they may use the same variables as a Prometheus query.
		 *
		 * @minItems 1
		 * @maxItems 20
		 */
		names: RolloutPolicyAwsName[]
		region?: RolloutPolicyRegion
	}
	/**
	 * A query that gives one value, asked of Prometheus or of what speaks its API.
	 */
	prometheus?: {
		address: RolloutPolicyUrl
		/**
		 * PromQL, at most 1,000 characters. It may use {{mesh}}, {{virtualRouter}}, {{route}}, {{canary}}, {{baseline}} and {{window}}.
		 */
		query: string
		credentials?: RolloutPolicyCredentials
	}
	/**
	 * A JSON document with a number in it, asked for by GET.
	 */
	http?: {
		url: RolloutPolicyUrl
		value: RolloutPolicyPointer
		time?: RolloutPolicyPointer
		credentials?: RolloutPolicyCredentials
	}
}
/**
 * So many breaches among so many values take the rollout back. Values in bounds make them good again.
 */
export interface RolloutPolicyBreaches {
	/**
	 * Breaches that take the rollout back.
	 */
	count?: number
	/**
	 * Newest values that the breaches are looked for in.
	 */
	of?: number
}
/**
 * Hours on some days of the week, by the clocks of a time zone.
 */
export interface RolloutPolicyWindow {
	/**
	 * The days on which the window begins. All, when none is written.
	 *
	 * @minItems 1
	 * @maxItems 7
	 *
	 * Items: A day of the week.
	 */
	days?: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
	/**
	 * Where it begins, from 00:00 to 23:59.
	 */
	from?: string
	/**
	 * Where it ends, from 00:00 to 24:00; on the next day, when it is before its beginning.
	 */
	to?: string
	/**
	 * An IANA name, whose clocks count.
	 */
	timeZone?: string
}
/**
 * Who is called, when, and what signs the call.
 */
export interface RolloutPolicyHook {
	/**
	 * What people know the hook by: 1 to 32 letters, digits, hyphens or underscores.
	 */
	name: string
	/**
	 * When it is called. start, step and promotion hold the first step, each step, or the last one until they allow it; watch may take a rollout back while it goes; ended hears how it ended; event hears each decision.
	 */
	point: 'start' | 'step' | 'promotion' | 'watch' | 'ended' | 'event'
	url: RolloutPolicyUrl
	secret: RolloutPolicyCredentials
	timeout?: RolloutPolicyTime
	interval?: RolloutPolicyTime
}
/**
 * One proxy, then these parts of the proxies, then all of them.
 */
export interface RolloutPolicyWaves {
	/**
	 * Parts of the proxies, in percent, rising.
	 *
	 * @maxItems 10
	 *
	 * Items: A part of the proxies, in percent.
	 */
	shares?: number[]
	minDuration?: RolloutPolicyTime
}

/**
 * 1 to 255 letters, digits, hyphens or underscores.
 */
export type ExpectationName = string
/**
 * The host name that applications call: labels of letters, digits, hyphens and underscores, separated by dots; the last one not a number.
 */
export type ExpectationService = string

/**
 * What the writers of a mesh expect of it: a request, and where it is to go. A mesh that does not do so is refused.
 */
export interface ExpectationManifest {
	/**
	 * The version of this format. Always sluice/v1.
	 */
	apiVersion: 'sluice/v1'
	/**
	 * What this document declares.
	 */
	kind: 'Expectation'
	/**
	 * What the resource is called and where it belongs.
	 */
	metadata: {
		mesh: ExpectationName
		name: ExpectationName
	}
	/**
	 * A request, and where it is to go.
	 */
	spec: {
		/**
		 * Whose proxy is asked.
		 */
		from: {
			virtualNode?: ExpectationName
			virtualGateway?: ExpectationName
		}
		/**
		 * What is asked for.
		 */
		request: {
			/**
			 * The method of the request.
			 */
			method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'CONNECT' | 'OPTIONS' | 'TRACE' | 'PATCH'
			/**
			 * An absolute http or https URL; its port is the one that is dialled.
			 */
			url: string
			/**
			 * Headers of the request, by name, at most 50.
			 */
			headers?: {
				/**
				 * Text of at most 2048 characters; put numbers and true or false in quotes.
				 */
				[k: string]: string
			}
		}
		/**
		 * Where the request is to go: what is written must hold, the rest is left open.
		 */
		expect: {
			route?: ExpectationName
			gatewayRoute?: ExpectationName
			virtualService?: ExpectationService
			/**
			 * All virtual nodes that get a share of such requests, 1 to 10.
			 *
			 * @minItems 1
			 * @maxItems 10
			 */
			virtualNodes?: ExpectationName[]
			/**
			 * true: nothing takes the request.
			 */
			noRoute?: true
		}
	}
}

/** Any document, once its schema holds. */
export type Manifest = MeshManifest | VirtualNodeManifest | VirtualServiceManifest | VirtualRouterManifest | RouteManifest | VirtualGatewayManifest | GatewayRouteManifest | RolloutPolicyManifest | ExpectationManifest
