/**
 * The fault matrix (faults-and-security.md 2.4) and the silent failures of others (1.5): which test shows what, and what
 * number was asked for.
 */
export interface MatrixRow {
  readonly id: string
  readonly fault: string
  /** T0: one process, virtual time; T1: real sockets; T2: a real broker; T3: three of them, and kills. */
  readonly tier: string
  /** `file > name of a test`, or of its `describe`; everything below counts. A script is named by its file alone. */
  readonly tests?: readonly string[]
  /** Why it cannot be tested here, as yet or at all; with `tests`: which part of it. */
  readonly cannot?: string
  /** What was asked for, and where that is shown. */
  readonly number?: string
  /** S rows: what was taken out of the engine, and what went red then. */
  readonly guard?: string
}

const CLUSTER = 'test/faults/cluster.test.ts'
const NETWORK = 'test/faults/network.test.ts'
const STATUS = 'test/faults/status.test.ts'
const SILENT = 'test/faults/silent.test.ts'
const PROCESS = 'test/faults/process.test.ts'
const IDEMPOTENCE = 'test/producer/idempotence.test.ts'
const EFFECTS = 'test/producer/option-effects.test.ts'
const LIFE = 'test/cluster/life.test.ts'
const ROUTES = 'test/cluster/routes.test.ts'
const SOCKETS = 'test/connection/sockets.test.ts'
const HOSTILE = 'test/connection/hostile.test.ts'
const LIFECYCLE = 'test/producer/lifecycle.test.ts'
const OFFER = 'test/producer/offer.test.ts'
const BROKERS = 'test/brokers/idempotence.test.ts'
const CREDENTIALS = 'test/security/credentials.test.ts'
const SCRAM = 'test/security/hostile-scram.test.ts'
const SESSIONS = 'test/security/sessions.test.ts'
const REAUTHENTICATION = 'test/security/reauthentication.test.ts'
const TLS_FAULTS = 'test/security/tls-faults.test.ts'
const REAL_SECURITY = 'test/brokers/security.test.ts'
const CHAOS = 'scripts/chaos.ts'
const SIMULATION = 'test/simulation/simulation.test.ts > simulation'

const cluster: readonly MatrixRow[] = [
  {
    ...{ id: 'C1', fault: 'the leader is killed under load', tier: 'T3' },
    tests: [CHAOS, 'test/brokers/faults.test.ts > a broker that dies', SIMULATION],
    number:
      '50 kills, 5 M records: npm run chaos -- --minutes N --faults kill; first ack on the new leader: its report',
  },
  {
    ...{ id: 'C2', fault: 'clean rolling restarts', tier: 'T3' },
    tests: [CHAOS],
    number: '0 failed sends: npm run chaos -- --faults term',
  },
  {
    ...{ id: 'C3', fault: 'the controller is killed, none for 30 s', tier: 'T3' },
    tests: [CHAOS],
    cannot: 'thirty seconds without any controller: brokers are controllers here, kills hit the active one like others',
    number: '0 failed sends: its report',
  },
  {
    ...{ id: 'C4', fault: 'leaders move ten times a second', tier: 'T0, T3' },
    tests: [`${LIFE} > C4: however often they move, metadata is asked for twice a second at most`, CHAOS],
    number: 'at most 2 metadata requests a second: the first test',
  },
  {
    ...{ id: 'C5', fault: 'partitions are reassigned under load', tier: 'T3' },
    tests: [CHAOS],
    number: '5 moves of 64 partitions: chaos moves three partitions at a time, as often as the schedule says',
  },
  {
    ...{ id: 'C6', fault: 'the partition count grows', tier: 'T0, T2' },
    tests: [`${CLUSTER} > C6: the number of partitions grows`, `${BROKERS} > C6: partitions grow under load`],
    number: '2, 4, 64: the first test, with hundreds of records; 100 000 were asked for',
  },
  {
    ...{ id: 'C7', fault: 'a topic is deleted while producing', tier: 'T0' },
    tests: [`${CLUSTER} > C7: a topic is deleted while records are on their way to it`],
    number: 'other topics: no time at all passes for them',
  },
  {
    ...{ id: 'C8', fault: 'a topic is deleted and made again', tier: 'T0, T2' },
    tests: [
      `${CLUSTER} > C8: a topic is deleted and made again`,
      `${BROKERS} > C8: a topic is deleted and made again under load`,
    ],
    number: '100 cycles: the first test',
  },
  {
    ...{ id: 'C9', fault: 'a topic is missing from metadata for a moment', tier: 'T0' },
    tests: [`${CLUSTER} > C9: a topic is missing from metadata for a moment`, SIMULATION],
    number: '10 000 seeds: npm run simulate; here 200 rounds',
  },
  {
    ...{ id: 'C10', fault: 'NOT_ENOUGH_REPLICAS for 60 s', tier: 'T0' },
    tests: [`${CLUSTER} > C10: NOT_ENOUGH_REPLICAS for 60 s`],
    number: 'first retry within 120 ms, then at most 1.3 s; instead of CPU time: fewer than 80 requests in the minute',
  },
  {
    ...{ id: 'C11', fault: 'a partition without a leader for 60 s', tier: 'T0' },
    tests: [`${CLUSTER} > C11: a partition has no leader for 60 s`],
    number: 'the others: no time at all passes for them',
  },
  {
    ...{ id: 'C12', fault: 'throttled for 5 s', tier: 'T0' },
    tests: [`${CLUSTER} > C12: a quota is exceeded`, 'test/connection/throttle.test.ts > C12: throttledUntilMs'],
    number: 'within 50 ms: the first test, in fake time',
  },
  {
    ...{ id: 'C13', fault: 'all brokers gone for ten minutes, back elsewhere', tier: 'T0' },
    tests: [`${LIFE} > C13: all brokers gone`],
    number: 'first contact within 2 s: the first test of it',
  },
  {
    ...{ id: 'C14', fault: 'a broker speaks other versions when it is back', tier: 'T0' },
    tests: [
      `${CLUSTER} > C14: brokers are upgraded and downgraded`,
      `${ROUTES} > C14: a broker that speaks other versions when it is back`,
    ],
    number: 'Produce v11, v3, v13 without an error: the first test',
  },
  {
    ...{ id: 'C15', fault: 'ApiVersions refused with a hint that is not lower', tier: 'T1' },
    tests: [`${HOSTILE} > C15: stops asking when a broker refuses every version of ApiVersions`],
    number: 'at most 3 attempts',
  },
  {
    ...{ id: 'C16', fault: 'two clusters in one bootstrap list', tier: 'T1' },
    tests: [`${LIFE} > C16: two clusters in one bootstrap list`],
    number: '0 records astray',
  },
  {
    ...{ id: 'C17', fault: '10 000 topics, 100 000 partitions', tier: 'T0' },
    tests: [
      `${LIFE} > C17: that are new are asked about alone`,
      'test/cluster/metadata.test.ts > C17: copies little for one change of many topics',
    ],
    number: 'times and bytes: npm run bench; no test, for timings never decide one',
  },
  {
    ...{ id: 'C20', fault: 'producer id expired, log truncated, DeleteRecords', tier: 'T0, T2' },
    tests: [
      `${CLUSTER} > C20: the broker forgets`,
      `${BROKERS} > C20: DeleteRecords while producing`,
      `${BROKERS} > C20: the broker forgets the producer (producer.id.expiration.ms)`,
      SIMULATION,
    ],
    number: '1 000 seeds: npm run simulate',
  },
]

const network: readonly MatrixRow[] = [
  {
    ...{ id: 'N1', fault: 'reset before, during and after a request or an answer', tier: 'T1, T2' },
    tests: [
      `${NETWORK} > N1: the connection ends at every byte`,
      `${NETWORK} > N1: the connection ends`,
      `${BROKERS} > lost answers: each record once, in order, where it was said to be`,
    ],
    number: 'every byte of a pipeline of five, both ways: the first test',
  },
  {
    ...{ id: 'N2', fault: 'the peer half-closes with answers unread', tier: 'T1' },
    tests: ['test/connection/connection.test.ts > N2: uses answers that came before the peer hung up'],
  },
  {
    ...{ id: 'N3', fault: 'black hole', tier: 'T0, T1' },
    tests: [`${ROUTES} > N3: a broker that does not answer at all`],
    number: 'request timeout + 100 ms: fake time',
  },
  {
    ...{ id: 'N4', fault: 'requests arrive, answers do not', tier: 'T1, T2' },
    tests: [`${NETWORK} > N4: requests arrive, answers do not`, `${BROKERS} > lost answers`],
    number: '0 duplicates',
  },
  {
    ...{ id: 'N5', fault: 'one byte per write, both ways', tier: 'T1' },
    tests: [
      `${NETWORK} > N5: one byte at a time, both ways`,
      `${HOSTILE} > works with a peer that sends every byte on its own`,
      'test/protocol/frame.test.ts > FrameReader',
    ],
    number: 'every split of golden messages: the last one',
  },
  {
    ...{ id: 'N6', fault: 'partial write, full socket buffer', tier: 'T1' },
    tests: [
      `${NETWORK} > N6: the socket takes a part of a frame, and then nothing`,
      `${SOCKETS} > N6: a peer that does not read`,
    ],
    number: '0 malformed frames at the broker: `violations` of every scenario',
  },
  {
    ...{ id: 'N7', fault: '100 answers in one chunk', tier: 'T1' },
    tests: [`${NETWORK} > N7: a hundred answers in one chunk`],
    number: '100',
  },
  {
    ...{ id: 'N8', fault: 'answers out of order, unknown, doubled', tier: 'T1' },
    tests: [`${NETWORK} > N8: an answer that is not the next one`],
  },
  {
    ...{ id: 'N9', fault: 'a late answer to a request that timed out', tier: 'T0' },
    tests: [
      'test/connection/connection.test.ts > N9: is closed by a request that times out; its late answer harms nobody',
    ],
    number: '0 desyncs',
  },
  {
    ...{ id: 'N10', fault: 'impossible frames, HTTP, TLS, noise', tier: 'T1' },
    tests: [`${HOSTILE} > hostile answers`, `${HOSTILE} > a port that is not Kafka`, `${HOSTILE} > memory`],
    number: 'at once, and less than 1 MB',
  },
  {
    ...{ id: 'N11', fault: 'bodies truncated at every length, or too long', tier: 'T0' },
    tests: [
      'test/protocol/codec.test.ts > decode',
      'test/fuzz/fuzz.test.ts > the decoders of headrace',
      `${HOSTILE} > hostile answers`,
    ],
    number: 'all golden messages, all lengths',
  },
  {
    ...{ id: 'N12', fault: '200 ms there and back, loss, 1 Mbit', tier: 'T0' },
    tests: [`${NETWORK} > N12: 200 ms there and back`],
    cannot: 'loss and bandwidth: there is no netem in this container; the time of a round trip alone is shown',
    number: '80 % of what five in flight allow',
  },
  {
    ...{ id: 'N13', fault: 'names that do not resolve, slowly, or to dead addresses', tier: 'T1' },
    tests: [`${SOCKETS} > N13: names and addresses`],
    number: 'a dead first address costs 250 ms',
  },
  {
    ...{ id: 'N14', fault: 'a broker moves, two ids at one address', tier: 'T1' },
    tests: [`${ROUTES} > N14: brokers are known by their ids`],
  },
  {
    ...{ id: 'N15', fault: 'idle connections', tier: 'T0' },
    tests: [`${ROUTES} > N15: a connection that was not used for nine minutes`],
    number: '0 failed sends',
  },
  {
    ...{ id: 'N16', fault: 'every connection lives 50 to 500 ms', tier: 'T1, T3' },
    tests: [CHAOS, `${ROUTES} > N16, N17: a peer that accepts and hangs up`],
    number: '500 000 records: npm run chaos -- --connections-live 50-500 --records 500000',
  },
  {
    ...{ id: 'N17', fault: 'everybody connects at once', tier: 'T1' },
    tests: [`${ROUTES} > N16, N17: a peer that accepts and hangs up`],
    number: 'once a second after the first three tries; of one client, not of 1 000',
  },
]

const process: readonly MatrixRow[] = [
  {
    ...{ id: 'P1', fault: 'SIGTERM with 100 000 records buffered', tier: 'T1' },
    tests: [`${LIFECYCLE} > P1: a SIGTERM with 100 000 records on their way`],
    number: 'all acknowledged',
  },
  {
    ...{ id: 'P2', fault: 'SIGTERM, and the cluster is dead', tier: 'T1' },
    tests: [`${LIFECYCLE} > P2: a dead cluster`],
    number: 'the deadline within 100 ms, in fake time',
  },
  {
    id: 'P3',
    fault: 'close, twice, in every state',
    tier: 'T0',
    tests: [`${LIFECYCLE} > P3: close`, `${LIFECYCLE} > P3: flush`],
  },
  {
    ...{ id: 'P4', fault: 'brokers that never answer, a caller that never awaits', tier: 'T0' },
    tests: [`${OFFER} > P4: a caller that never awaits, and brokers that never answer`],
    number: 'RSS below 3 x bufferBytes + 64 MiB',
  },
  {
    ...{ id: 'P5', fault: 'one dead broker of three', tier: 'T0' },
    tests: [`${OFFER} > P5: one dead broker of three`],
    number: 'the healthy ones keep half of bufferBytes at least',
  },
  {
    ...{ id: 'P6', fault: 'the event loop stands still, SIGSTOP', tier: 'T0, T2' },
    tests: [
      `${PROCESS} > P6: the event loop stands still for a minute`,
      `${SOCKETS} > P6: a process that was stopped for a minute`,
      'test/brokers/faults.test.ts > does not matter to a process that was frozen past its deadlines',
    ],
    number: '0 records expired whose answer was there',
  },
  {
    ...{ id: 'P7', fault: 'the wall clock jumps', tier: 'T0' },
    tests: [`${SOCKETS} > P7: a wall clock that jumps`],
    number: '0 timers',
  },
  {
    ...{ id: 'P8', fault: 'callbacks that throw, buffers that are changed', tier: 'T0' },
    tests: [
      `${LIFECYCLE} > P8: buffers`,
      'test/producer/observability.test.ts > P8',
      `${SILENT} > S1: memory that a socket still has is nobody else's`,
    ],
  },
  {
    ...{ id: 'P9', fault: 'records of odd shapes and sizes', tier: 'T0' },
    tests: [`${LIFECYCLE} > P9: records at the edge`, 'test/producer/record.test.ts > checkRecord'],
  },
  {
    ...{ id: 'P10', fault: 'one poison record in a batch', tier: 'T0, T2' },
    tests: [
      `${LIFECYCLE} > P10: of 500 records one that cannot be sent fails alone`,
      `${IDEMPOTENCE} > records that the broker names (KIP-467)`,
      `${BROKERS} > KIP-467: a record with an impossible time`,
    ],
  },
  {
    ...{ id: 'P11', fault: 'codecs that are missing, throw, or compress nothing', tier: 'T0' },
    tests: [
      `${LIFECYCLE} > P11: a codec that throws`,
      'test/producer/compression.test.ts',
      'test/compression/load-codec.test.ts',
    ],
  },
  {
    ...{ id: 'P12', fault: 'leaks', tier: 'T0' },
    tests: [`${LIFECYCLE} > P12: leaks`, `${OFFER} > P4: after everything has settled nothing is held`],
    cannot: '24 hours do not fit in a test run',
  },
  {
    ...{ id: 'P13', fault: 'no file descriptor, no port left', tier: 'T1' },
    tests: [`${SOCKETS} > P13: a machine that has run out of something`],
  },
  {
    ...{ id: 'P14', fault: 'worker threads, two copies of the package', tier: 'T1' },
    tests: [`${LIFECYCLE} > P14: nothing is shared`],
  },
]

const access: readonly MatrixRow[] = [
  {
    ...{ id: 'A1', fault: 'a wrong password, an unknown user', tier: 'T1' },
    tests: [`${CREDENTIALS} > A1: a wrong password`],
    number: 'one attempt a step, steps up to 10 s: the third test of it, for three minutes',
  },
  {
    ...{ id: 'A2', fault: 'no credentials for 30 s', tier: 'T1' },
    tests: [`${CREDENTIALS} > A2: a function for tokens that fails for 30 s`],
    number: 'within 1 s after it, whatever the jitter, with the default reconnectBackoffMaxMs',
  },
  {
    ...{ id: 'A3', fault: 'SCRAM messages that must be rejected', tier: 'T1' },
    tests: [
      `${SCRAM} > A3: golden server-first: $why`,
      `${SCRAM} > A3: golden server-final: $why`,
      `${SCRAM} > a hostile SCRAM server, %s:`,
      'test/security/memory.test.ts > of every hostile SCRAM server',
    ],
    number: 'all vectors, both hashes',
  },
  {
    ...{ id: 'A4', fault: 'sessions that end every second or two under load', tier: 'T0, T3' },
    tests: [CHAOS, `${SESSIONS} > A6: while records flow`, REAUTHENTICATION],
    number: '20 000 records a second, ten minutes: npm run chaos -- --sasl scram-sha-512 --session-ms 2100',
  },
  {
    ...{ id: 'A5', fault: '"Cannot change principals"', tier: 'T1, T2' },
    tests: [
      `${CREDENTIALS} > A5: "Cannot change principals" at another login`,
      `${REAUTHENTICATION} > A5: "Cannot change principals"`,
      `${REAL_SECURITY} > A5: another principal in the middle of a session`,
    ],
    number: 'a gap of 1 s at most: the first test',
  },
  {
    ...{ id: 'A6', fault: 'sessions of 0, 1 ms, 2^63-1, and ever shorter', tier: 'T1' },
    tests: [`${REAUTHENTICATION} > A6: sessions of strange lengths`, `${SESSIONS} > A6: while records flow`],
  },
  {
    ...{ id: 'A7', fault: 'a password is changed while connected', tier: 'T1, T2' },
    tests: [
      `${CREDENTIALS} > A7: a password that is changed while we are connected`,
      `${REAL_SECURITY} > A7: a password that changes while records flow`,
    ],
    number: '0 failed sends',
  },
  {
    ...{ id: 'A8', fault: 'certificates that do not do, on either side', tier: 'T1' },
    tests: [
      `${TLS_FAULTS} > A8: a certificate that does not do`,
      'test/tls/faults.test.ts > a broker that cannot prove who it is',
      'test/tls/faults.test.ts > a broker that wants to know who we are',
    ],
    number: '12 cases, under TLS 1.2 and 1.3, through connect() and send()',
  },
  {
    ...{ id: 'A9', fault: 'the wrong kind of port', tier: 'T1, T2' },
    tests: [`${TLS_FAULTS} > A9: the wrong kind of port`, 'test/brokers/mistakes.test.ts > 5: TLS to a plaintext port'],
    number: '1 s, in fake time',
  },
  {
    ...{ id: 'A10', fault: 'TLS in the middle of the stream', tier: 'T1' },
    tests: [
      `${TLS_FAULTS} > A10: TLS in the middle of the stream`,
      'test/tls/connect.test.ts > new keys (TLS 1.3) go unnoticed',
      'test/tls/connect.test.ts > a renegotiation (TLS 1.2) is gone through with the peer that was checked',
    ],
  },
  {
    ...{ id: 'A11', fault: 'not authorized', tier: 'T1' },
    tests: [
      'test/security/authorization.test.ts > A11: somebody who is let in, and may not do it',
      `${STATUS} > more rows of the table`,
    ],
    cannot: 'transactional ids: transactions come with an issue of their own',
  },
]

const silent: readonly MatrixRow[] = [
  {
    ...{ id: 'S1', fault: 'memory that is still in flight is reused', tier: 'T1' },
    tests: [
      `${SILENT} > S1: memory that a socket still has is nobody else's`,
      'test/producer/buffer-pool.test.ts > uses nothing again that a socket still has',
    ],
    guard:
      "the memory of a batch that expires in flight is given back at once; its bytes are overwritten at once: 'its memory counts as used' and 'a batch that expires while its bytes are on their way' red",
  },
  {
    ...{ id: 'S2', fault: 'sends at the same time share a sequence', tier: 'T1' },
    tests: [
      `${SILENT} > S2: sends at the same time, from many places`,
      `${IDEMPOTENCE} > S2: sends at the same time share no sequence`,
    ],
    guard: "sequences advance with the acknowledgement instead of at drain: 'share no sequence and no offset' red",
  },
  {
    ...{ id: 'S3', fault: 'sequences are lost with metadata', tier: 'T1' },
    tests: [
      `${IDEMPOTENCE} > S3: a topic that is missing from one answer does not start again at 0`,
      `${CLUSTER} > S3: 200 times`,
    ],
    guard: 'the queue of a partition is forgotten when it is empty, and with it the sequence: both red',
  },
  {
    ...{ id: 'S4', fault: 'REQUEST_TIMED_OUT is taken for "not written"', tier: 'T1' },
    tests: [`${STATUS} > S4: REQUEST_TIMED_OUT is no proof of anything`],
    guard: 'REQUEST_TIMED_OUT marked as definite in error-codes.ts: red, with and without idempotence',
  },
  {
    ...{ id: 'S5', fault: 'a new epoch inside a transaction', tier: 'T1' },
    tests: [
      `${EFFECTS} > all have an effect that is tested here, or are refused`,
      `${EFFECTS} > %s is refused, not ignored`,
    ],
    guard: 'transactionalId taken for any text: red',
    cannot: 'the rest: there is no transaction to raise an epoch in until they come with an issue of their own',
  },
  {
    ...{ id: 'S6', fault: "one partition's new epoch doubles what another has in flight", tier: 'T1' },
    tests: [
      `${IDEMPOTENCE} > S6: another partition keeps the old one for what may have been written`,
      `${SILENT} > S6: an epoch that one partition needs`,
    ],
    guard:
      "batches that may have been written are stamped anew under the next epoch: 'another partition keeps the old one' and 'does not touch what 2 others may have written' red",
  },
  {
    ...{ id: 'S7', fault: 'a retry is not the same bytes', tier: 'T1' },
    tests: [`${SILENT} > S7: a batch is the same bytes from its first sending to its last`],
    guard: 'the batch is stamped anew at each sending, a time in it grows: red',
  },
  {
    ...{ id: 'S8', fault: 'a commit that was not', tier: 'T1' },
    tests: [
      `${EFFECTS} > all have an effect that is tested here, or are refused`,
      `${EFFECTS} > %s is refused, not ignored`,
    ],
    guard: 'transactionalId taken for any text: red',
    cannot: 'the rest: nothing can be committed until transactions come with an issue of their own',
  },
  {
    ...{ id: 'S9', fault: 're-authentication races other traffic', tier: 'T1' },
    tests: [
      `${REAUTHENTICATION} > a session that is about to end`,
      `${REAUTHENTICATION} > another login that fails`,
      `${SESSIONS} > another login that fails while records flow`,
    ],
    guard:
      "nothing is parked; what is in flight is not waited for; parked requests fail with what garbled the login: 'what is in flight is answered first' and 'is answered with noise' red",
  },
  {
    ...{ id: 'S10', fault: 'sequences and correlation ids overflow', tier: 'T1' },
    tests: [
      `${SILENT} > S10: numbers that come to their end`,
      `${IDEMPOTENCE} > wrap after 2^31-1`,
      'test/connection/correlation-id.test.ts > S10: correlation ids begin again at 0',
    ],
    guard: 'modulo 2^31-1 instead of 2^31; no wrap at all: red',
  },
  {
    ...{ id: 'S11', fault: 'a request within a half-written one', tier: 'T1' },
    tests: [`${NETWORK} > S11: the connection ends with the half-written frame`],
    guard: 'a request that times out fails alone and its connection stays: red',
  },
  {
    ...{ id: 'S12', fault: 'a failed init makes the producer useless', tier: 'T1' },
    tests: [`${IDEMPOTENCE} > %s: fails when it was asked for, and may be tried again (S12)`],
    guard: 'a refused InitProducerId is never asked again: red',
  },
]

export const MATRIX: readonly MatrixRow[] = [...cluster, ...network, ...process, ...access, ...silent]
