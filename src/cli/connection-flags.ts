import { Option, type Command } from 'commander'
import { UsageError } from './exit-code.ts'

/** What every command that talks to a cluster can be told about the way there. */
export interface ConnectionFlags {
  readonly brokers?: string
  readonly config?: string
  readonly tls?: true
  readonly tlsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsKeyPassphraseEnv?: string
  readonly tlsServername?: string
  readonly tlsTrustAnyone?: true
  readonly sasl?: string
  readonly username?: string
  readonly passwordEnv?: string
  readonly passwordFile?: string
  readonly tokenEnv?: string
  readonly tokenFile?: string
  readonly region?: string
  readonly roleArn?: string
  readonly allowPlaintextCredentials?: true
}

/** Which option of the library a flag gives, `tls.ca` for `ca` in `tls`: errors speak the language of their reader. */
export const CONNECTION_FLAGS = {
  brokers: '--brokers',
  tls: '--tls',
  'tls.ca': '--tls-ca',
  'tls.cert': '--tls-cert',
  'tls.key': '--tls-key',
  'tls.passphrase': '--tls-key-passphrase-env',
  'tls.servername': '--tls-servername',
  'tls.rejectUnauthorized': '--tls-trust-anyone',
  sasl: '--sasl',
  'sasl.mechanism': '--sasl',
  'sasl.username': '--username',
  'sasl.password': '--password-env or --password-file',
  'sasl.token': '--token-env or --token-file',
  'sasl.region': '--region',
  'sasl.roleArn': '--role-arn',
  allowPlaintextCredentials: '--allow-plaintext-credentials',
} as const

export type ConnectionOptionName = keyof typeof CONNECTION_FLAGS

/** Adds the flags, in groups of the help text. */
export function addConnectionFlags(command: Command): Command {
  command
    .option('--brokers <host:port,...>', 'where to begin; any broker of the cluster will do')
    .option('--config <file>', "JSON with the library's options; flags win over it")
    .optionsGroup('TLS:')
    .option('--tls', 'encrypt, and check who the brokers are')
    .option('--tls-ca <file>', "trust these authorities instead of the system's (PEM)")
    .option('--tls-cert <file>', 'our certificate, where brokers ask for one (PEM)')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--tls-key-passphrase-env <name>', 'the variable that has its passphrase')
    .option('--tls-servername <name>', "the name in the brokers' certificates, if it is another")
    .option('--tls-trust-anyone', 'check nothing: whoever answers gets passwords and records')
    .optionsGroup('Logging in:')
    .option(
      '--sasl <mechanism>',
      'plain, scram-sha-256, scram-sha-512, oauthbearer or aws-msk-iam (keys: AWS_ACCESS_KEY_ID, ...)',
    )
    .option('--username <name>', 'plain, scram: who we are')
    .option('--password-env <name>', 'plain, scram: the variable that has the password')
    .option('--password-file <file>', 'plain, scram: the file that has the password')
    .option('--token-env <name>', 'oauthbearer: the variable that has the token')
    .option('--token-file <file>', 'oauthbearer: the file that has the token')
    .option('--region <name>', "aws-msk-iam: if it is not in the brokers' names")
    .option('--role-arn <arn>', 'aws-msk-iam: a role to assume first')
    .option('--allow-plaintext-credentials', 'plain, oauthbearer: send the secret without TLS, readable by all')
    .optionsGroup('Options:')
    .addHelpText('after', CONFIG_HELP)
  return refuseSecrets(command)
}

const CONFIG_HELP = `
A --config file has the options of the library by their names. Its secrets may
be somewhere else; a path begins at the folder of the file:
  {"brokers": "b-1:9094", "tls": {"ca": {"file": "ca.pem"}}, "sasl": {
   "mechanism": "plain", "username": "app", "password": {"env": "KAFKA_PASS"}}}`

const SECRET_FLAGS: Readonly<Record<string, string>> = {
  '--password': '--password-env NAME, --password-file FILE or --config FILE',
  '--sasl-password': '--password-env NAME, --password-file FILE or --config FILE',
  '--token': '--token-env NAME, --token-file FILE or --config FILE',
  '--tls-key-passphrase': '--tls-key-passphrase-env NAME or --config FILE',
}

/** What people try first is understood, and refused: everybody can read the argument list. No error repeats the value. */
function refuseSecrets(command: Command): Command {
  for (const [flag, instead] of Object.entries(SECRET_FLAGS)) {
    const refuse = (): never => {
      const why = 'every user of this machine can read the arguments of a running program, and shells keep them'
      throw new UsageError(`${flag} is not taken: ${why}; use ${instead}`)
    }
    command.addOption(new Option(`${flag} <value>`).hideHelp().argParser(refuse))
  }
  return command
}

/** In what commander says of a flag that it does not know: the rest of that argument may be a secret. */
export function withoutValue(text: string): string {
  return text
    .replace(/(unknown option '--[^'=\s]+)=[\s\S]*?'(?=\n|$)/, "$1'")
    .replace(/(unknown option '-[^-'])[\s\S]*?'(?=\n|$)/, "$1'")
}
