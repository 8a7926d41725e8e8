/**
 * The rules of security (faults-and-security.md 3.1 to 3.11), each with the tests that hold it. The table in SECURITY.md is
 * made of this by `npx tsx test/security/security-table.ts`.
 */
export interface Rule {
  /** Section of the specification, and a name. */
  readonly id: string
  readonly rule: string
  /** `file > name of a test`, of its row, or of its `describe`; everything below counts. */
  readonly tests?: readonly string[]
  /** Why there is no test, as yet or at all; with `tests`: what they leave out, or what was decided. */
  readonly why?: string
}

const RULES = 'test/security/rules.test.ts'
const CANARY = 'test/security/canary.test.ts'
const NO_FALLBACK = 'test/security/no-fallback.test.ts'
const HOSTILE = 'test/security/hostile-scram.test.ts'
const STALLS = 'test/security/stalls.test.ts'
const AGAIN = 'test/security/reauthentication.test.ts'
const SESSIONS = 'test/security/sessions.test.ts'
const CREDENTIALS = 'test/security/credentials.test.ts'
const EXCHANGE = 'test/sasl/exchange.test.ts'
const SCRAM = 'test/sasl/scram.test.ts'
const SALTED = 'test/sasl/salted-password.test.ts'
const PLAIN = 'test/sasl/plain.test.ts'
const OAUTH = 'test/sasl/oauth-bearer.test.ts'
const AWS = 'test/sasl/aws-msk-iam.test.ts'
const STS = 'test/sasl/sts.test.ts'
const SASL_OPTIONS = 'test/sasl/options.test.ts'
const RENEWAL = 'test/sasl/renewal.test.ts'
const SECRET = 'test/secret.test.ts'
const TLS = 'test/tls/connect.test.ts'
const TLS_FAULTS = 'test/tls/faults.test.ts'
const TLS_OPTIONS = 'test/tls/options.test.ts'
const TLS_ERRORS = 'test/tls/errors.test.ts'
const PEM = 'test/tls/pem.test.ts'
const FRAME = 'test/protocol/frame.test.ts'
const CODEC = 'test/protocol/codec.test.ts'
const READER = 'test/bytes/reader.test.ts'
const BOMBS = 'test/compression/hostile.test.ts'
const PEERS = 'test/connection/hostile.test.ts'
const FUZZ = 'test/fuzz/fuzz.test.ts > stand 60 000 executions'
const LOGIN_FUZZ = 'test/fuzz/login.test.ts > is taken or refused, 5000 times'

const framing: readonly Rule[] = [
  {
    id: '3.1-handshake',
    rule: 'SaslHandshake v1, then SaslAuthenticate in the highest common version; bare tokens only where ApiVersions lacks SaslAuthenticate.',
    tests: [`${RULES} > SaslHandshake is asked in v1`, `${HOSTILE} > the same in bare tokens`],
  },
  {
    id: '3.1-caps',
    rule: 'A token of a broker has at most 64 KiB, an exchange four round trips, and all of it one deadline, `connectTimeoutMs`.',
    tests: [
      `${EXCHANGE} > takes 64 KiB of an answer and no byte more`,
      `${EXCHANGE} > ends after four round trips`,
      `${HOSTILE} > challenges without end`,
      `${STALLS} > a server that stalls`,
    ],
  },
  {
    id: '3.1-no-fallback',
    rule: 'A mechanism that the broker does not have is final; no other one is tried, and TLS is never given up.',
    tests: [
      `${NO_FALLBACK} > a mechanism that the broker does not have (33)`,
      `${NO_FALLBACK} > a list that does not have ours, and no error, is no reason to say something else`,
      `${NO_FALLBACK} > a peer without it hears nothing but greetings, however often it is tried`,
    ],
  },
  {
    id: '3.1-plaintext',
    rule: 'PLAIN and OAUTHBEARER go without TLS to a loopback address, or with `allowPlaintextCredentials`; AWS_MSK_IAM never.',
    tests: [
      `${PLAIN} > secrets without TLS`,
      `${NO_FALLBACK} > secrets without TLS`,
      `${CANARY} > is not sent where everybody could read it, or goes as a proof`,
    ],
  },
  {
    id: '3.1-broker-text',
    rule: 'What a broker says in an error is one line of at most 256 characters, without control characters and without our secrets.',
    tests: [`${EXCHANGE} > what a broker says`, `${NO_FALLBACK} > what a broker says of a refusal (58)`, LOGIN_FUZZ],
  },
]

const scram: readonly Rule[] = [
  {
    id: '3.2-nonce',
    rule: 'The nonce of the client has at least 18 bytes of `crypto.randomBytes`, printable, without comma.',
    tests: [`${SCRAM} > draws a nonce of at least 18 random bytes, another one each time`],
  },
  {
    id: '3.2-username',
    rule: 'In a user name every `=` and `,` is escaped; NUL is refused.',
    tests: [
      `${SCRAM} > logs in to a strict server, whatever names and passwords hold`,
      `${SCRAM} > NUL in the user`,
      `${HOSTILE} > takes the user a,b,c=d as what it is`,
    ],
  },
  {
    id: '3.2-password',
    rule: 'A password is UTF-8 as it is given: no SASLprep.',
    tests: [
      `${SCRAM} > logs in to a strict server, whatever names and passwords hold`,
      'test/oracle/sasl-java.test.ts > but not with another password',
    ],
    why: 'There is no option `saslprep`: Kafka, librdkafka and the others do not do it either.',
  },
  {
    id: '3.2-authzid',
    rule: 'The header is `n,,`; with an authorization id `c=` binds the same header.',
    tests: [`${SCRAM} > acts as somebody else only where that is asked for, and binds it`],
  },
  {
    id: '3.2-server-first',
    rule: 'The first message of the server is read strictly: r, s, i in their order, no duplicates, no `m=`.',
    tests: [`${SCRAM} > the broker's first SCRAM message is refused:`, `${HOSTILE} > server-first with %s`],
  },
  {
    id: '3.2-combined-nonce',
    rule: 'The nonce of the server begins with ours and is longer.',
    tests: [`${SCRAM} > the broker's first SCRAM message is refused:`, `${HOSTILE} > A3: golden server-first: $why`],
  },
  {
    id: '3.2-salt',
    rule: 'The salt is strict base64 of 1 to 1024 bytes.',
    tests: [`${SCRAM} > a salt of 1 and of 1024 bytes is not`, `${HOSTILE} > server-first with %s`],
  },
  {
    id: '3.2-iterations',
    rule: 'Iterations are 4096 to `maxIterations`, 1 000 000 if nothing else is said.',
    tests: [`${SCRAM} > takes as many iterations as the option says`, `${HOSTILE} > server-first with %s`],
  },
  {
    id: '3.2-pbkdf2',
    rule: 'PBKDF2 runs off the event loop, one at a time in the process; what comes too late is not used; the result is remembered by hash, salt, iterations and a fingerprint of the password.',
    tests: [
      `${SALTED} > are computed one at a time`,
      `${SALTED} > are computed once for all who ask at the same time, and later`,
      `${SALTED} > are others for another hash, salt, number of iterations or password`,
      `${SALTED} > are not computed for who has given up, and do not hold up the next`,
    ],
  },
  {
    id: '3.2-auth-message',
    rule: 'What is signed is made of the bytes that were received.',
    tests: [`${SCRAM} > logs in to a strict server, whatever names and passwords hold`],
  },
  {
    id: '3.2-server-final',
    rule: 'The signature of the server is strict base64 of the length of the hash, and is compared in constant time; `e=` is an error.',
    tests: [`${SCRAM} > the broker's last SCRAM message is refused:`, `${HOSTILE} > A3: golden server-final: $why`],
    why: 'That the comparison takes constant time is `crypto.timingSafeEqual`; it is not measured.',
  },
  {
    id: '3.2-no-signature',
    rule: 'Without a signature a login has failed, whatever error code came with it.',
    tests: [`${HOSTILE} > says yes without having been asked for a proof`, LOGIN_FUZZ],
  },
  {
    id: '3.2-proof-in-errors',
    rule: 'Proof and expected signature are in no error.',
    tests: [`${CANARY} > is in nothing that is told, whether the broker can prove itself or not`],
  },
  {
    id: '3.2-wipe',
    rule: 'Keys are overwritten after use.',
    tests: [
      `${EXCHANGE} > lets the mechanism clean up, however it ends`,
      `${SALTED} > are copies: what one login wipes the next one still has`,
    ],
    why: 'Best effort: JavaScript copies strings as it likes, and the salted password is kept for the next login.',
  },
]

const plainAndBearer: readonly Rule[] = [
  {
    id: '3.3-plain',
    rule: 'PLAIN: NUL in any part, and an empty user or password, are refused before anything is sent; the answer to the right ones is not looked at, and capped.',
    tests: [`${PLAIN} > sends nothing with %s`, `${PLAIN} > does not look at the answer to the right password`],
  },
  {
    id: '3.4-message',
    rule: 'OAUTHBEARER says what Apache Kafka says: token first, then extensions.',
    tests: [`${OAUTH} > says what Kafka says: $hex`],
  },
  {
    id: '3.4-grammar',
    rule: 'Token and extensions are checked: no ^A anywhere, no extension `auth`.',
    tests: [`${OAUTH} > a ^A in an extension`, `${OAUTH} > a ^A`],
  },
  {
    id: '3.4-error-document',
    rule: 'An error document is answered with 0x01 and is the end; JSON up to 8 KiB, own fields, `status` and not the token.',
    tests: [
      `${OAUTH} > answers an error document with 0x01, and fails with its status and the refusal`,
      `${OAUTH} > fails even if the broker is content after its error document`,
      `${OAUTH} > does not repeat the token that a broker repeats`,
      `${OAUTH} > an error document`,
    ],
  },
  {
    id: '3.4-provider',
    rule: 'A function for tokens has a deadline, is asked once for all who wait, and again at 75 to 85 % of the life of a token; what it gives is not logged.',
    tests: [
      `${OAUTH} > is fetched once for all who log in at the same time`,
      `${OAUTH} > is used again for four fifths of its life`,
      `${OAUTH} > that never settles fails after 30 s, and the next login asks again`,
      `${OAUTH} > that throws something else is not quoted`,
      `${CREDENTIALS} > A2: a function for tokens that fails for 30 s`,
    ],
  },
  {
    id: '3.4-url',
    rule: 'Tokens from a URL: https only, an allow-list, no redirects, no echo.',
    why: 'There is no such option: a token comes from a function of the program. The lesson of CVE-2025-27817 is not to have it.',
  },
]

const aws: readonly Rule[] = [
  {
    id: '3.5-payload',
    rule: 'Query, canonical request, string to sign, key and JSON (items 1 to 6) are those of AWS, not those of its README.',
    tests: [
      `${AWS} > is that of $input.name`,
      `${AWS} > is not the one of the README of aws-msk-iam-auth`,
      `${AWS} > encodes every character but the free ones, in UTF-8 and capitals`,
      `${AWS} > says ten fields, with a session token eleven, all of them text`,
      'test/oracle/aws-java.test.ts > for random brokers and credentials',
    ],
  },
  {
    id: '3.5-answer',
    rule: 'Only JSON of the right version is a yes; an empty answer and a second challenge are failures (item 7).',
    tests: [`${AWS} > AWS_MSK_IAM`, 'test/fuzz/sasl.test.ts > is read or refused, 50 000 times', LOGIN_FUZZ],
  },
  {
    id: '3.5-expiry',
    rule: 'A signature is good for 900 s or what the credentials have left, in whole seconds; under one second they are asked for anew (item 8).',
    tests: [
      `${AWS} > is 900 seconds, or what the credentials have left, in whole seconds`,
      `${AWS} > that end in less than a second are asked for anew, instead of signing with them`,
    ],
  },
  {
    id: '3.5-region',
    rule: 'The region is the option, else the suffix of the host, else the environment (item 9).',
    tests: [`${AWS} > is what the option says, then the host, then the environment`],
    why: 'The option wins over the host, against the order of the specification: who says a region means it.',
  },
  {
    id: '3.5-clock',
    rule: 'Signing goes by the wall clock, and a failure names our time (item 10).',
    tests: [
      `${AWS} > is signed anew each time, by the wall clock`,
      `${AWS} > says with whose keys, for which host and region and at what time it was refused, and no secret`,
    ],
  },
  {
    id: '3.5-kafkajs',
    rule: "kafkajs's mechanism AWS, which sends the secret key itself, does not exist, and its settings are refused with advice (item 11).",
    tests: [`${SASL_OPTIONS} > kafkajs's aws`, `${SASL_OPTIONS} > an identity of kafkajs`],
  },
  {
    id: '3.5-bearer',
    rule: 'The presigned URL as a bearer token is that of AWS.',
    tests: [`${AWS} > makes the bearer token of AWS: $input.accessKeyId`],
  },
  {
    id: '3.5-sts',
    rule: 'AssumeRole: regional endpoint, https only, no redirect, three tries, 64 KiB, a strict reader instead of an XML parser, single flight, renewed 5 minutes before the end; old keys are used while STS is down.',
    tests: [
      `${STS} > is assumed at the STS of the region, and signs`,
      `${STS} > does not lead us anywhere else`,
      `${STS} > is asked three times, while it has trouble`,
      `${STS} > says no more than 64 KiB`,
      `${STS} > the XML of STS`,
      `${STS} > is assumed anew five minutes before its end, each time under the same session name`,
      `${STS} > goes on to be used while STS is down, to its end`,
    ],
    why: 'FIPS endpoints and endpoints of the user are not offered.',
  },
  {
    id: '3.5-session-name',
    rule: 'The name of a role session is the same for the life of the process.',
    tests: [
      `${STS} > is assumed once for all who log in at the same time, and later, under the same name`,
      `${CREDENTIALS} > A5: "Cannot change principals" at another login`,
    ],
  },
]

const sessions: readonly Rule[] = [
  {
    id: '3.6-when',
    rule: 'Another login comes at 85 to 95 % of a session, from the sending of the last token on the monotonic clock, and early enough for two slow logins.',
    tests: [
      `${RENEWAL} > a session is renewed`,
      `${AGAIN} > counts from the moment at which the token was sent, not from its answer`,
    ],
  },
  {
    id: '3.6-order',
    rule: 'Requests wait, what is in flight is answered, the login runs, the parked ones follow in order, `acks: 0` too; a session of 0 clears it; one request passes between two logins.',
    tests: [
      `${AGAIN} > a session that is about to end`,
      `${AGAIN} > A6: sessions of strange lengths`,
      `${SESSIONS} > A6: while records flow`,
    ],
  },
  {
    id: '3.6-fresh',
    rule: 'Every login signs or fetches anew: sessions do not become shorter and shorter.',
    tests: [
      `${OAUTH} > is renewed before any session that ends with it is: sessions do not become shorter`,
      `${AWS} > is signed anew each time, by the wall clock`,
    ],
  },
  {
    id: '3.6-failure',
    rule: 'A login that fails ends the connection; records are kept for a new one.',
    tests: [`${AGAIN} > another login that fails`, `${SESSIONS} > another login that fails while records flow`],
  },
]

const tls: readonly Rule[] = [
  {
    id: '3.7-sni',
    rule: 'The server name is sent for DNS names, nothing for addresses.',
    tests: [`${TLS} > sends the name of the host, and none where the host is an address`],
  },
  {
    id: '3.7-identity',
    rule: 'The certificate must be for the advertised host, wherever was dialled; only an explicit option changes that.',
    tests: [
      `${TLS} > checks the advertised host, wherever it dialled`,
      `${TLS} > lets an explicit option override the check: servername, or the user's own`,
    ],
  },
  {
    id: '3.7-reject',
    rule: '`rejectUnauthorized` is always said; `false` only by the option, with a warning once per process, never by the environment.',
    tests: [
      `${TLS} > does not honour NODE_TLS_REJECT_UNAUTHORIZED`,
      `${TLS_OPTIONS} > says explicitly that strangers are rejected: NODE_TLS_REJECT_UNAUTHORIZED would decide otherwise`,
      `${TLS_OPTIONS} > say once in a process that brokers are not verified`,
    ],
  },
  {
    id: '3.7-version',
    rule: 'TLS 1.2 at least; 1.3 can be asked for; nothing below can.',
    tests: [`${TLS_FAULTS} > nothing above TLS 1.1`, `${RULES} > TLS below 1.2 cannot be asked for`],
  },
  {
    id: '3.7-construction',
    rule: 'Certificates and keys are read and compared at construction, and the field is named.',
    tests: [`${TLS_OPTIONS} > ca that is no certificate`, `${TLS_OPTIONS} > shows nothing of key and passphrase`],
  },
  {
    id: '3.7-expiry',
    rule: 'A certificate or authority near its end is told of at 30, 7 and 1 days.',
    tests: [`${TLS_OPTIONS} > come at 30, 7 and 1 days before an end, and after it, each once`],
  },
  {
    id: '3.7-client-certificate',
    rule: 'A client certificate that is missing or refused is named, under TLS 1.2 and 1.3.',
    tests: [`${TLS_FAULTS} > a broker that wants to know who we are`, `${CANARY} > of an authority that nobody knows`],
  },
  {
    id: '3.7-meaning',
    rule: 'Errors are classified by meaning; every code of the list has a sentence.',
    tests: [
      `${TLS_FAULTS} > a broker that cannot prove who it is`,
      `${TLS_ERRORS} > knows a weak key by words, where OpenSSL has no code for it`,
    ],
  },
  {
    id: '3.7-common-name',
    rule: 'The common name counts for nothing.',
    tests: [`${TLS_OPTIONS} > follows the subjectAltName, and never the common name`],
    why: 'Certificates without subjectAltName are refused, which is stricter than the rule.',
  },
  {
    id: '3.7-resumption',
    rule: 'No 0-RTT data; sessions are resumed per broker only.',
    tests: [`${TLS} > does not resume sessions: a resumed one would not be checked`],
    why: 'Sessions are not resumed at all.',
  },
  {
    id: '3.7-pem',
    rule: 'PEM is taken in any shape that people paste; what cannot be used is named, never shown.',
    tests: [
      `${PEM} > gives what openssl wrote, %s`,
      `${PEM} > never throws, never shows what it was given, never takes long`,
    ],
  },
]

const secrets: readonly Rule[] = [
  {
    id: '3.8-secret-class',
    rule: 'Secrets are held so that text, JSON and `inspect` show `[redacted]`, and `structuredClone` refuses them.',
    tests: [
      `${SECRET} > is redacted as text, JSON and in the console`,
      `${SECRET} > is refused by everything that copies objects`,
    ],
  },
  {
    id: '3.8-nowhere',
    rule: 'No secret is in an error, the log, a channel, statistics or a public object; proofs, payloads, tokens and presigned URLs count as secrets.',
    tests: [
      `${CANARY} > is repeated by the broker`,
      `${CANARY} > is refused when it is given again`,
      `${CANARY} > what SCRAM computes`,
      `${CANARY} > what is no option`,
      `${CANARY} > a function for a secret`,
      `${CANARY} > keys of a client certificate`,
      'test/cli/security.test.ts > secrets on the command line',
      'test/cli/security.test.ts > with HEADRACE_DEBUG=1 there is more to read, and no secret',
      'test/diagnose/diagnose.test.ts',
    ],
  },
  {
    id: '3.8-cache-keys',
    rule: 'Caches are keyed by an HMAC of a secret, with a key of this process.',
    tests: [`${SECRET} > has a fingerprint that is equal for equal texts only`],
  },
  {
    id: '3.8-output',
    rule: 'At the end of `npm test` everything that was printed is searched for every secret of the run.',
    tests: [`test/security/canary-scan.test.ts > what a run has printed`, 'scripts/test.ts'],
  },
]

const untrusted: readonly Rule[] = [
  {
    id: '3.9-names',
    rule: 'Names of topics, headers and brokers may be those of built-ins: nothing is polluted, nothing crashes.',
    tests: [`${RULES} > names like those of built-ins are names`],
  },
  {
    id: '3.9-options',
    rule: 'Options are read by their own keys; unknown ones, `__proto__` among them, are refused.',
    tests: [
      'test/options.test.ts > reads own properties only: a polluted prototype changes nothing',
      `${RULES} > __proto__ in options that JSON gave is an unknown option`,
      `${SASL_OPTIONS} > a mechanism by the prototype`,
    ],
  },
  {
    id: '3.9-headers',
    rule: 'Headers keep their order and their doubles.',
    tests: ['test/producer/record.test.ts > keeps the order and the doubles of headers, and leaves out undefined'],
  },
  {
    id: '3.9-no-code',
    rule: 'No `eval`, no `Function`, no module that configuration chooses.',
    tests: [`${RULES} > no code is made of text, and no module chosen by an option`],
  },
  {
    id: '3.9-connect-guard',
    rule: '`connectGuard` sees the resolved address of every broker, bootstrap and advertised, before anything is sent.',
    tests: [
      `${NO_FALLBACK} > sees the resolved address of bootstrap and advertised brokers alike, with tls and sasl`,
      `${NO_FALLBACK} > keeps us away from an advertised address: not a byte goes there`,
      'test/connection/connection.test.ts > asks connectGuard about every address, and obeys',
    ],
  },
  {
    id: '3.9-pivot',
    rule: 'An advertised broker is checked like any other: TLS wants its own advertised name.',
    tests: [`${NO_FALLBACK} > sees where mapAddress leads, and TLS still wants the advertised name`],
    why: 'Where a broker advertises, we go: without TLS and `connectGuard` a hostile broker can have PLAIN credentials sent to another address of its choice.',
  },
]

const sizes: readonly Rule[] = [
  {
    id: '3.10-frame',
    rule: 'A frame has at most 1 MiB before the login is done, then 100 000 000 bytes (Metadata) or 16 MiB (the rest); under 4 is refused; nothing is allocated by a declared length.',
    tests: [
      `${FRAME} > allocates nothing for a length that is only declared`,
      `${FRAME} > refuses a length at its fourth byte, and goes on refusing`,
      `${RULES} > before the login is done no frame is over 1 MiB`,
      `${PEERS} > reads less than 1 MB of a stream that says it is 2 GB long`,
    ],
    why: 'There is no option for the cap: nobody needed one.',
  },
  {
    id: '3.10-counts',
    rule: 'Counts and lengths are compared with the bytes that are left; unknown tagged fields are skipped without allocating.',
    tests: [
      `${CODEC} > costs no memory that the bytes do not pay for`,
      `${CODEC} > passes over tagged fields that it does not know`,
      `${READER} > refuses the length %i`,
      'test/protocol/metadata-decode.test.ts > C17: takes no room for partitions that the bytes cannot hold',
      FUZZ,
    ],
  },
  {
    id: '3.10-int-bounds',
    rule: 'Integers are checked: varints of more than 32 or 64 bits, numbers of options out of their range.',
    tests: [
      `${READER} > refuses bits over the 32nd and the 64th`,
      'test/options.test.ts > names every problem at once, with the value and the limit',
    ],
  },
  {
    id: '3.10-decompression',
    rule: 'What is decompressed (test cluster, tools) stops at a limit, and does not grow with what is announced.',
    tests: [
      `${BOMBS} > does not grow with what is announced`,
      'test/compression/round-trip.test.ts > stops at the limit, however little the input is',
    ],
  },
  {
    id: '3.10-slack',
    rule: 'No byte of a buffer is sent that nobody wrote.',
    tests: ['test/compression/round-trip.test.ts > gives exact memory: no byte more than was compressed'],
  },
  {
    id: '3.10-times',
    rule: 'Times that a broker chooses are bounded: a throttle at 60 s with a warning, sessions, metadata twice a second.',
    tests: [
      'test/cluster/routes.test.ts > C12: is not granted more than a minute, and that is said',
      `${AGAIN} > A6: sessions of strange lengths`,
      'test/cluster/life.test.ts > C4: however often they move, metadata is asked for twice a second at most',
    ],
  },
]

const lessons: readonly Rule[] = [
  {
    id: '3.11-buffer-reuse',
    rule: 'CVE-2026-35554: no buffer is used again that a socket may still read.',
    tests: ['test/faults/silent.test.ts > S1'],
  },
  {
    id: '3.11-auth-bytes-in-logs',
    rule: 'CVE-2026-33558, CVE-2026-24308: the bytes of a login are in no log, at no level.',
    tests: [`${CANARY} > gets in`],
  },
  {
    id: '3.11-token-validation',
    rule: 'CVE-2026-33557: a broker that takes any token proves nothing about a client.',
    tests: ['test/testing/sasl.test.ts > oauthbearer gets in with what verifyToken takes, and shows its extensions'],
  },
  {
    id: '3.11-amplification',
    rule: 'CVE-2026-111108, -111115, -111073, -10142, CVE-2022-34917: few bytes make few objects.',
    tests: [`${CODEC} > costs no memory that the bytes do not pay for`, FUZZ],
  },
  {
    id: '3.11-iterations',
    rule: 'CVE-2026-10143: a broker cannot choose how long PBKDF2 runs.',
    tests: [`${HOSTILE} > server-first with %s`],
  },
  {
    id: '3.11-configuration',
    rule: 'CVE-2025-27817/27818/27819, CVE-2024-31141, CVE-2023-25194: configuration does not read files, fetch URLs or load code.',
    tests: [`${RULES} > no code is made of text, and no module chosen by an option`],
    why: 'The command line reads the files that its flags and its configuration file name: that is its job.',
  },
  {
    id: '3.11-strict-fake',
    rule: 'CVE-2024-56128: our own test broker checks the nonce and the whole proof.',
    tests: ['test/testing/sasl.test.ts > finds every byte of a SCRAM proof looked at'],
  },
  {
    id: '3.11-constant-time',
    rule: 'CVE-2021-38153: secrets are compared in constant time.',
    tests: [`${RULES} > what proves a broker is compared by timingSafeEqual`],
  },
  {
    id: '3.11-crafted-requests',
    rule: 'CVE-2018-17196, CVE-2018-1288, CVE-2017-12610: the encoder is strict, and the authorization id is empty unless it is set.',
    tests: [
      `${CODEC} > encoding refuses by name`,
      `${SCRAM} > acts as somebody else only where that is asked for, and binds it`,
    ],
  },
  {
    id: '3.11-bundled-c',
    rule: 'CVE-2021-3520, CVE-2019-17543, CVE-2016-984x, CVE-2022-37434, CVE-2023-3445x: no C code is bundled.',
    tests: [`${RULES} > the package depends on nothing`],
  },
  {
    id: '3.11-xml',
    rule: 'CVE-2026-25128: there is no XML parser.',
    tests: [`${STS} > never throws`],
  },
]

export const SECURITY: readonly Rule[] = [
  ...framing,
  ...scram,
  ...plainAndBearer,
  ...aws,
  ...sessions,
  ...tls,
  ...secrets,
  ...untrusted,
  ...sizes,
  ...lessons,
]
