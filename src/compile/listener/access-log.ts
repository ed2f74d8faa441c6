import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import { unreachable } from '#base/assert.ts'
import type { AccessLog } from '#mesh/proxy-spec.ts'
import type { AccessLogSchema } from '#proto/gen/envoy/config/accesslog/v3/accesslog_pb.ts'
import type { SubstitutionFormatStringSchema } from '#proto/gen/envoy/config/core/v3/substitution_format_string_pb.ts'
import { FileAccessLogSchema } from '#proto/gen/envoy/extensions/access_loggers/file/v3/file_pb.ts'
import {
	StderrAccessLogSchema,
	StdoutAccessLogSchema,
} from '#proto/gen/envoy/extensions/access_loggers/stream/v3/stream_pb.ts'
import { packAny } from '../proto/any.ts'
import { textSource } from '../proto/file-or-text.ts'

/** Of a connection manager or a TCP proxy: a line for each request, or each connection. None when nothing is written. */
export function accessLogs(accessLog: AccessLog | null): MessageInitShape<typeof AccessLogSchema>[] {
	if (accessLog === null) return []
	const { path, format } = accessLog
	const written = format === null ? {} : { accessLogFormat: { case: 'logFormat', value: logFormat(format) } as const }
	switch (path) {
		case '/dev/stdout':
			return [logger('envoy.access_loggers.stdout', packAny(StdoutAccessLogSchema, written))]
		case '/dev/stderr':
			return [logger('envoy.access_loggers.stderr', packAny(StderrAccessLogSchema, written))]
		default:
			return [logger('envoy.access_loggers.file', packAny(FileAccessLogSchema, { path, ...written }))]
	}
}

/**
 * The standard streams have loggers of their own, which write to what is open already. Where they are sockets, as under
 * systemd, they cannot be opened by name, and Envoy would refuse the listener.
 */
function logger(name: string, value: Any): MessageInitShape<typeof AccessLogSchema> {
	return { name, configType: { case: 'typedConfig', value } }
}

/** A text is taken as it is written: Envoy ends no line of it. JSON is one line. */
function logFormat(format: NonNullable<AccessLog['format']>): MessageInitShape<typeof SubstitutionFormatStringSchema> {
	switch (format.kind) {
		case 'text':
			return { format: { case: 'textFormatSource', value: textSource(format.text) } }
		case 'json': {
			const members = Object.fromEntries(format.members.map(({ key, value }) => [key, value]))
			return { format: { case: 'jsonFormat', value: members } }
		}
		default:
			return unreachable(format)
	}
}
