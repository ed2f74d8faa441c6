import type { MessageInitShape } from '@bufbuild/protobuf'
import type { DataSourceSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'

type DataSource = MessageInitShape<typeof DataSourceSchema>

/** A file of the proxy's own machine. */
export function fileSource(path: string): DataSource {
	return { specifier: { case: 'filename', value: path } }
}

export function textSource(text: string): DataSource {
	return { specifier: { case: 'inlineString', value: text } }
}
