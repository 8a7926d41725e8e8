import type { AwsCredentialProvider, AwsCredentials } from './aws-credentials.ts'
import type { OAuthToken } from './oauth-messages.ts'

/** A secret, or a function that is asked anew at each login. */
export type SecretOption = string | (() => string | Promise<string>)

/** The option `sasl`. Mechanisms may be written as Kafka does, in capitals, too. */
export type SaslOptions = PasswordOptions | ScramPasswordOptions | OAuthBearerSaslOptions | AwsMskIamSaslOptions

export interface PasswordOptions {
  readonly mechanism: 'plain' | 'PLAIN'
  readonly username: string
  readonly password: SecretOption
  readonly authorizationId?: string | undefined
}

export interface ScramPasswordOptions {
  readonly mechanism: 'scram-sha-256' | 'scram-sha-512' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  readonly username: string
  readonly password: SecretOption
  readonly authorizationId?: string | undefined
  readonly maxIterations?: number | undefined
}

export interface OAuthBearerSaslOptions {
  readonly mechanism: 'oauthbearer' | 'OAUTHBEARER'
  /** A token, or a function that fetches one. With `expiresAtMs` a token is used for four fifths of its life. */
  readonly token: string | (() => string | OAuthToken | Promise<string | OAuthToken>)
  readonly authorizationId?: string | undefined
}

export interface AwsMskIamSaslOptions {
  readonly mechanism: 'aws-msk-iam' | 'AWS_MSK_IAM'
  /** Default: the one in the broker's host name, else `AWS_REGION` or `AWS_DEFAULT_REGION`. */
  readonly region?: string | undefined
  /** Default: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. */
  readonly credentials?: AwsCredentials | AwsCredentialProvider | undefined
  /** A role to assume with these credentials. */
  readonly roleArn?: string | undefined
  readonly roleSessionName?: string | undefined
  readonly roleDurationSeconds?: number | undefined
  readonly externalId?: string | undefined
  readonly userAgent?: string | undefined
}
