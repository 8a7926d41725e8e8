import { errorByCode, toBrokerError } from '../protocol/error-codes.ts'
import { produce } from '../protocol/messages/produce.ts'
import { idempotenceOf } from '../producer/options.ts'
import type { Arrival } from './approach.ts'
import { failed, failedBy, passed, type DiagnosisStep, type Found } from './diagnosis-step.ts'
import { askMetadata, metadataVersion } from './ask-metadata.ts'
import type { Visitor } from './visitor.ts'
import { argument, quoted } from './words.ts'

export const TOPIC_AUTHORIZATION_FAILED = 29
const CLUSTER_AUTHORIZATION_FAILED = 31

/** The versions of Metadata that tell what we may do (KIP-430), with the cluster, too, until v10. */
const FIRST_WITH_OPERATIONS = 8
const LAST_WITH_CLUSTER = 10

/** Nobody said anything about it. */
const NOT_GIVEN = -(2 ** 31)

/** org.apache.kafka.common.acl.AclOperation; what is allowed is a bit field of these. */
const OPERATIONS: Readonly<Record<number, string>> = {
  ...{ 3: 'READ', 4: 'WRITE', 5: 'CREATE', 6: 'DELETE', 7: 'ALTER', 8: 'DESCRIBE' },
  ...{ 10: 'DESCRIBE_CONFIGS', 11: 'ALTER_CONFIGS', 12: 'IDEMPOTENT_WRITE' },
}
const WRITE = 4
const IDEMPOTENT_WRITE = 12

/** From 2.8 on (KIP-679) who may write to any topic may do so idempotently; its brokers are the first with Produce v9. */
const FIRST_PRODUCE_WITH_ONE_RIGHT = 9

/** Asks the cluster what we may do, without doing it. */
export async function* judgeAuthorization(
  visitor: Visitor,
  arrival: Arrival,
  topic: string,
): AsyncGenerator<DiagnosisStep, void> {
  const { clock } = visitor
  const startMs = clock.now()
  const { connection } = arrival
  if (metadataVersion(arrival) < FIRST_WITH_OPERATIONS) {
    const what = 'this broker is too old to say whether we may write (before Kafka 2.3); the first record will tell'
    yield passed({ step: 'authorization', ms: 0 }, what)
    return
  }
  const question = { topics: [{ name: topic }], includeTopicAuthorizedOperations: true }
  const reply = await askMetadata(arrival, { ...question, includeClusterAuthorizedOperations: true }, LAST_WITH_CLUSTER)
  const found = { step: 'authorization', ms: clock.now() - startMs }
  if ('error' in reply) {
    yield failedBy(found, reply.error, connection.address, '')
    return
  }
  const { topics, clusterAuthorizedOperations } = reply.answer
  const answer = topics.find(({ name }) => name === topic)
  const errorCode = answer?.errorCode ?? 0
  if (errorCode !== 0 && errorCode !== TOPIC_AUTHORIZATION_FAILED) {
    yield failedBy(found, toBrokerError(errorCode, 'Metadata'), `topic ${JSON.stringify(topic)}`, '')
    return
  }
  const operations = errorCode === 0 ? (answer?.topicAuthorizedOperations ?? NOT_GIVEN) : 0
  const hasOneRight = connection.newestVersion(produce) >= FIRST_PRODUCE_WITH_ONE_RIGHT
  yield judge({ visitor, topic, found, operations, clusterOperations: hasOneRight ? 0 : clusterAuthorizedOperations })
}

interface Rights {
  readonly visitor: Visitor
  readonly topic: string
  readonly found: Found
  readonly operations: number
  /** 0: of no interest, or not to be seen by us. */
  readonly clusterOperations: number
}

function judge({ visitor, topic, found, operations, clusterOperations }: Rights): DiagnosisStep {
  const [shown, [us, principal]] = [JSON.stringify(topic), principalOf(visitor)]
  if (operations === NOT_GIVEN) {
    return passed(found, 'the broker does not say whether we may write; the first record will tell')
  }
  if (!may(operations, WRITE)) {
    const { name } = errorByCode(TOPIC_AUTHORIZATION_FAILED)
    const had = namesOf(operations)
    const what = `${us} may not write to topic ${shown}: ${had === '' ? 'it has no right on it, not even to see whether it is there' : `all it may do is ${had}`}`
    return failed(
      found,
      name,
      `${what}. Give it WRITE: kafka-acls.sh --add --allow-principal ${principal} --producer --topic ${argument(topic)}`,
    )
  }
  const idempotence = idempotenceOf(visitor.options)
  const isRefused = clusterOperations > 0 && !may(clusterOperations, IDEMPOTENT_WRITE)
  const can = `${us} may write to topic ${shown}`
  if (!isRefused || idempotence === 'off') return passed(found, can)
  const { name } = errorByCode(CLUSTER_AUTHORIZATION_FAILED)
  const give = `Give it IDEMPOTENT_WRITE: kafka-acls.sh --add --allow-principal ${principal} --operation IdempotentWrite --cluster`
  const lacks = `${can}, but not idempotently`
  return idempotence === 'required'
    ? failed(found, name, `${lacks}, which the option idempotent asks for. ${give}`)
    : passed(found, `${lacks}: a producer goes on without. ${give}`, name)
}

function may(operations: number, operation: number): boolean {
  return (operations & (1 << operation)) !== 0
}

function namesOf(operations: number): string {
  const names = Object.entries(OPERATIONS).filter(([operation]) => may(operations, Number(operation)))
  return names.map(([, name]) => name).join(', ')
}

/** We, and how brokers call us unless somebody has set that up otherwise. */
function principalOf({ mechanism, options }: Visitor): [us: string, principal: string] {
  const user = mechanism?.user ?? null
  if (user !== null) return [`user ${quoted(user)}`, argument(`User:${user}`)]
  if (mechanism !== null) return [`whoever ${mechanism.name} has logged in`, '...']
  if (options.tls !== null) return ['whoever our certificate names, or nobody (User:ANONYMOUS)', '...']
  return ['whoever does not log in (User:ANONYMOUS)', 'User:ANONYMOUS']
}
