import { createHmac } from 'node:crypto'

export type Signed = { readonly id: string; readonly timestampS: number; readonly body: string }

/**
 * Headers that prove who sent a body and when, as the Standard Webhooks specification has them (1.0.0, symmetric):
 * HMAC-SHA256 over `id.timestamp.body`. One signature for each key, so that a key can be replaced without a gap.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatureHeaders(keys: readonly Buffer[], { id, timestampS, body }: Signed): Record<string, string> {
	const signatures = keys.map(
		(key) => `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`,
	)
	return {
		'webhook-id': id,
		'webhook-timestamp': String(timestampS),
		'webhook-signature': signatures.join(' '),
	}
}
