import { presign, type MskSigning } from './aws-msk-iam.ts'
import type { OAuthToken } from './oauth-messages.ts'
import { canonicalQueryOf } from './sig-v4.ts'

/**
 * A bearer token for OAUTHBEARER with MSK: the presigned request as a URL, in base64url.
 *
 * Source: aws-msk-iam-sasl-signer-js 1.0.3.
 *
 * @param userAgent not signed.
 */
export function mskBearerToken(signing: Omit<MskSigning, 'host'>, userAgent: string): OAuthToken {
  const { region, wallMs, expiresSeconds } = signing
  const host = `kafka.${region}.amazonaws.com`
  const { query, signature } = presign({ ...signing, host })
  const url = `https://${host}/?${canonicalQueryOf([...query, ['X-Amz-Signature', signature], ['User-Agent', userAgent]])}`
  // The date that is signed has no milliseconds.
  const signedAtMs = Math.floor(wallMs / 1000) * 1000
  return { value: Buffer.from(url).toString('base64url'), expiresAtMs: signedAtMs + expiresSeconds * 1000 }
}
