import { fromBinary } from '@bufbuild/protobuf'
import type { Caller, CallStatus } from '#base/grpc-service.ts'
import { fail, type Result } from '#base/result.ts'
import { NodeSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Admission } from '#xds/admission.ts'
import type { Proxy } from '#xds/fleet-view.ts'

/** Who pushes counters on a connection: the proxy that is served on it. `bytes` is the node of the first message. */
export function identifyNode(admission: Admission, caller: Caller, bytes: Uint8Array): Result<Proxy, CallStatus> {
	try {
		return admission.identify(caller, fromBinary(NodeSchema, bytes))
	} catch (error) {
		return fail({ code: 'INVALID_ARGUMENT', message: `the node cannot be read: ${String(error)}` })
	}
}
