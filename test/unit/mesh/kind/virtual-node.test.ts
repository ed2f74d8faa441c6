import { expect, test } from 'vitest'
import { codesOf, smallMesh } from '../small-mesh.ts'

const node = (spec: string) =>
	`${smallMesh}---\napiVersion: sluice/v1\nkind: VirtualNode\nmetadata: {mesh: apps, name: n}\nspec: ${spec}\n`
const listener = '{portMapping: {port: 80, protocol: http2}}'
const tls = (mode: string, certificate: string) =>
	`{portMapping: {port: 80, protocol: http2}, tls: {mode: ${mode}, certificate: {${certificate}}}}`
const dns = (hostname: string) => `serviceDiscovery: {dns: {hostname: ${hostname}}}`

test.for<[string, string[]]>([
	['{}', []],
	[`{listeners: [${listener}], ${dns('a.local')}}`, []],
	[`{listeners: [${listener}]}`, ['SL0214']],
	[`{listeners: [${listener}, ${listener}], ${dns('a.local')}}`, ['SL0213']],
	[`{${dns('serviceB.apps.local.')}}`, []],
	[`{${dns('_a-b.c_d')}}`, []],
	[`{${dns('localhost')}}`, []],
	[`{${dns('10.0.0.1')}}`, ['SL0208']],
	[`{${dns('a..b')}}`, ['SL0208']],
	[`{${dns('-a.local')}}`, ['SL0208']],
	[`{${dns('"a b"')}}`, ['SL0208']],
	[`{${dns('a.local:80')}}`, ['SL0208']],
	[`{${dns(`${'a'.repeat(64)}.local`)}}`, ['SL0208']],
	[`{listeners: [{portMapping: {port: 15000, protocol: tcp}}], ${dns('a.local')}}`, ['SL0224']],
	['{serviceDiscovery: {}}', ['SL0209']],
	[`{serviceDiscovery: {dns: {hostname: a.local}, static: {endpoints: [{address: 10.0.0.1}]}}}`, ['SL0209']],
	['{serviceDiscovery: {static: {endpoints: [{address: a.local}]}}}', ['SL0208']],
	[
		'{serviceDiscovery: {awsCloudMap: {namespaceName: a, serviceName: b, attributes: [{key: k, value: " v"}]}}}',
		['SL0208'],
	],
	[`{listeners: [${listener}], serviceDiscovery: {static: {endpoints: [{address: 10.0.0.1}]}}}`, []],
	[
		`{listeners: [${tls('STRICT', 'acm: {certificateArn: "arn:aws:acm:eu-west-1:1:certificate/x"}')}], ${dns('a.local')}}`,
		['SL0230'],
	],
	[
		`{listeners: [${tls('STRICT', 'file: {certificateChain: /proc/1, privateKey: /key}')}], ${dns('a.local')}}`,
		['SL0208'],
	],
	[
		`{listeners: [${tls('STRICT', 'sds: {secretName: a}, file: {certificateChain: /a, privateKey: /key}')}], ${dns('a.local')}}`,
		['SL0209'],
	],
	[`{listeners: [${tls('NONE', 'sds: {secretName: a}')}], ${dns('a.local')}}`, ['SL0207']],
	['{backends: [{virtualService: {virtualServiceName: x.local}}]}', ['SL0306']],
	['{backends: [{virtualService: {virtualServiceName: b.local}}]}', []],
])('%s finds %j', ([spec, codes]) => {
	expect(codesOf({ 'm.yaml': node(spec) })).toEqual(codes)
})
