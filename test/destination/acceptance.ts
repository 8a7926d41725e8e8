import type { AcceptanceRow } from '../support/acceptance-rows.ts'

const SETTINGS = 'test/destination/settings/validate-settings.test.ts'
const MATERIAL = 'test/destination/settings/material.test.ts'
const WAY_IN = 'test/destination/settings/way-in.test.ts'
const DIRECTIVES = 'test/destination/mapping/resolve-fields.test.ts'
const DELIVER = 'test/destination/deliver.test.ts'
const FAILURES = 'test/destination/failures.test.ts'
const ROBUST = 'test/destination/robustness.test.ts'
const WHOLE = 'test/destination/end-to-end.test.ts'
const BROKERS = 'test/brokers/destination.test.ts'
const MSK = 'test/brokers/destination-msk.test.ts'

/**
 * The acceptance rows of the destination (destination-and-output.md part C), each with the tests that hold it:
 * `file > name of a test, or of its describe`. `acceptance.test.ts` looks whether they are there.
 */
export const ACCEPTANCE: readonly AcceptanceRow[] = [
  {
    id: 'seg-S1',
    feature: 'settings schema',
    tests: [
      `${SETTINGS} > seg-S1: the schema of the settings`,
      `${WHOLE} > seg-S1, seg-S2, seg-S3: settings that are wrong`,
    ],
  },
  {
    id: 'seg-S2',
    feature: 'credential rules',
    tests: [
      `${SETTINGS} > seg-S2: what each mechanism needs`,
      `${SETTINGS} > seg-S2: AWS IAM`,
      `${MSK} > seg-S2: anything else there, and a region that nobody tells, are 400`,
    ],
  },
  {
    id: 'seg-S3',
    feature: 'brokers',
    tests: [
      `${SETTINGS} > seg-S3: brokers`,
      `${WHOLE} > seg-S3: an IPv6 address in brackets is where we dial`,
      `${BROKERS} > seg-S3: spaces, commas and a broker that is down in the list`,
    ],
  },
  {
    id: 'seg-S4',
    feature: 'PLAIN, SCRAM-256, SCRAM-512, AWS IAM',
    tests: [
      `${BROKERS} > seg-S4: passwords`,
      `${MSK} > seg-S4: access keys are let in`,
      `${MSK} > seg-S4: a wrong secret is 401`,
      `${MSK} > seg-S4: the role in authorizationIdentity is assumed`,
    ],
  },
  {
    id: 'seg-S5',
    feature: 'client certificate',
    tests: [
      `${BROKERS} > seg-S5: a client certificate`,
      `${MATERIAL} > seg-S5: certificates and keys`,
      `${WAY_IN} > seg-S5: client-cert-auth`,
    ],
  },
  {
    id: 'seg-S6',
    feature: 'TLS verification',
    tests: [`${BROKERS} > seg-S6: the certificate of a broker`, `${WAY_IN} > seg-S6: who the broker is`],
  },
  {
    id: 'seg-S7',
    feature: 'mapping directives',
    tests: [
      `${DIRECTIVES} > seg-S7: the directives (A.11)`,
      `${DIRECTIVES} > seg-S7: config errors, before any event`,
      `${WHOLE} > seg-S7: the default payload is the event, byte for byte`,
      'test/oracle/segment/mapping.test.ts > seg-S7: mappings and checks, beside Segment',
    ],
  },
  {
    id: 'seg-S8',
    feature: 'topic',
    tests: [
      `${DELIVER} > seg-S8: topic`,
      `${BROKERS} > seg-S8: topics`,
      `${MSK} > seg-S4: access keys are let in, the first event`,
    ],
  },
  {
    id: 'seg-S9',
    feature: 'partition precedence',
    tests: [`${DELIVER} > seg-S9: partition`, `${BROKERS} > seg-S9: partition`],
  },
  {
    id: 'seg-S10',
    feature: 'key hash',
    tests: [
      `${BROKERS} > seg-S10: keys go where Kafka's own partitioner has them`,
      'test/oracle/segment/broker.test.ts > seg-S10: keys go where Segment has them, over twelve partitions',
    ],
  },
  {
    id: 'seg-S11',
    feature: 'headers',
    tests: [
      `${BROKERS} > seg-S11: headers of each kind`,
      'test/destination/mapping/validate-send.test.ts > seg-S11: headers',
    ],
  },
  {
    id: 'seg-S12',
    feature: 'many events in one call',
    tests: [`${BROKERS} > seg-S12: 1002 events in one call`, `${DELIVER} > seg-S12: many events`],
  },
  {
    id: 'seg-S13',
    feature: 'batch limits',
    tests: [
      `${DELIVER} > seg-S13: batch limits`,
      `${BROKERS} > seg-S13: batch_size and batch_bytes cut what is written`,
    ],
  },
  {
    id: 'seg-S14',
    feature: 'a result per event',
    tests: [
      `${FAILURES} > seg-S14: results`,
      `${ROBUST} > seg-S14: a broker that says of a batch only that it dislikes it`,
      `${BROKERS} > seg-S14, seg-S15: refused by the broker`,
    ],
  },
  {
    id: 'seg-S15',
    feature: 'what errors mean',
    tests: [
      `${FAILURES} > seg-S15: what errors mean`,
      `${ROBUST} > seg-S15: how long to wait before the next try`,
      `${BROKERS} > seg-S14, seg-S15: refused by the broker`,
    ],
  },
  {
    id: 'seg-S16',
    feature: 'testAuthentication',
    tests: [
      `${FAILURES} > seg-S16: testAuthentication`,
      `${FAILURES} > seg-S16: a broker that is silent is not waited for without end`,
      `${BROKERS} > seg-S16: testAuthentication lets in who may`,
    ],
  },
  {
    id: 'seg-S17',
    feature: 'producer cache',
    tests: ['test/destination/cache.test.ts > seg-S17: the producers of a process'],
  },
  {
    id: 'seg-S18',
    feature: 'trigger language',
    tests: [
      'test/destination/trigger/trigger.test.ts > seg-S18: the trigger language (A.12)',
      `${WHOLE} > seg-S18, seg-S19: what the default trigger takes`,
      'test/oracle/segment/triggers.test.ts > seg-S18: triggers, beside Segment',
    ],
  },
  {
    id: 'seg-S19',
    feature: 'Engage',
    tests: [
      'test/destination/mapping/audience.test.ts > seg-S19: Engage',
      'test/destination/beyond.test.ts > seg-S19: membership of an audience',
      `${WHOLE} > seg-S18, seg-S19: what the default trigger takes`,
    ],
  },
  { id: 'seg-S20', feature: "Segment's framework", tests: ['test/destination/upstream-cases.test.ts > seg-S20'] },
  {
    id: 'seg-S21',
    feature: 'metrics',
    tests: [
      `${WHOLE} > seg-S21: every number of A.10, with the tags of the host`,
      'test/destination/cache.test.ts > seg-S21: the numbers of a call',
    ],
  },
  {
    id: 'seg-S22',
    feature: 'event service, at most 50 mappings',
    tests: [
      'test/brokers/event-service.test.ts > seg-S22: 10 000 events arrive exactly once',
      `${DELIVER} > seg-S22: at most 50 mappings`,
    ],
  },
]
