import { openConnection } from '../../src/connection/handshake.ts'
import type { Connection } from '../../src/connection/connection.ts'
import { systemClock } from '../../src/clock.ts'
import { errorByCode } from '../../src/protocol/error-codes.ts'
import { initProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { encodeRecordBatch } from '../../src/protocol/record-batch.ts'
import {
  api,
  array,
  int16,
  int32,
  int64,
  string,
  type Api,
  type RequestInput,
  type ResponseOf,
} from '../../src/protocol/schema.ts'

/**
 * What producers do to one partition, and what the broker says: the same steps for a TestCluster and for real Kafka
 * (test/brokers/producer-state.test.ts). Answers are those of Kafka 4.3.1; where older ones differ the test on real
 * brokers holds TestCluster's `kafkaVersion` against them.
 */
export interface Script {
  readonly name: string
  readonly steps: readonly Step[]
  /** Of the topic. */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
}

type Step = Write | Init | DeleteRecords | Restart

/** One batch. */
export interface Write {
  /** Which producer: each name gets an id of its own; '-': none, not idempotent. */
  readonly by: string
  readonly epoch: number
  readonly sequence: number
  readonly count: number
  readonly says: string
}

/** InitProducerId, beside those that come with the first write of each name. */
export interface Init {
  readonly init: { readonly transactionalId?: string; readonly by?: string; readonly producerEpoch?: number }
  readonly says: string
}

/** Kafka's DeleteRecords; TestCluster has it as a method. */
export interface DeleteRecords {
  readonly deleteBefore: number
}

/** The broker is killed, and started again. */
export interface Restart {
  readonly restart: true
}

const MAX = 2 ** 31 - 1

/** `by epoch:sequence+count`, then what the broker says: an offset, `=` and an offset for one known before, or an error. */
function write(line: string): Write {
  const [, by = '', epoch, sequence, count, says = ''] = /^(\S+) (-?\d+):(-?\d+)\+(\d+) (.*)$/.exec(line) ?? []
  return { by, epoch: Number(epoch), sequence: Number(sequence), count: Number(count), says }
}

function script(name: string, ...steps: (string | Step)[]): Script {
  const timestampType = name.includes('LogAppendTime') ? 'LogAppendTime' : 'CreateTime'
  return { name, timestampType, steps: steps.map((step) => (typeof step === 'string' ? write(step) : step)) }
}

export const scripts: readonly Script[] = [
  script('sequences that follow each other', 'a 0:0+1 at 0', 'a 0:1+4 at 1', 'a 0:5+2 at 5'),
  script(
    'the same batch again',
    'a 0:0+3 at 0',
    'a 0:0+3 again 0',
    'a 0:0+3 again 0',
    'a 0:3+1 at 3',
    'a 0:0+3 again 0',
  ),
  script(
    'five batches are remembered, the sixth is not',
    ...[
      'a 0:0+1 at 0',
      'a 0:1+1 at 1',
      'a 0:2+1 at 2',
      'a 0:3+1 at 3',
      'a 0:4+1 at 4',
      'a 0:0+1 again 0',
      'a 0:5+1 at 5',
    ],
    ...['a 0:1+1 again 1', 'a 0:5+1 again 5', 'a 0:0+1 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 0:6+1 at 6'],
    ...['a 0:1+1 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 0:2+1 again 2'],
  ),
  script(
    'a batch that was cut anew is not known',
    ...['a 0:0+4 at 0', 'a 0:0+2 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 0:2+2 OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ...['a 0:0+5 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 0:3+2 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 0:4+1 at 4'],
  ),
  script('a gap', 'a 0:0+1 at 0', 'a 0:2+1 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 0:1+1 at 1', 'a 0:2+1 at 2'),
  script('any sequence is the first', 'a 0:7+2 at 0', 'a 0:9+1 at 2', 'a 0:0+1 OUT_OF_ORDER_SEQUENCE_NUMBER'),
  script('any epoch is the first', 'a 5:3+1 at 0', 'a 5:4+1 at 1', 'a 4:5+1 INVALID_PRODUCER_EPOCH'),
  script(
    'zero comes after 2^31-1',
    `a 0:${MAX - 1}+2 at 0`,
    'a 0:0+1 at 2',
    `a 0:${MAX - 1}+2 again 0`,
    'a 0:1+1 at 3',
  ),
  script(
    'a batch over the end of the numbers',
    ...[`a 0:${MAX - 3}+2 at 0`, `a 0:${MAX - 1}+5 at 2`, `a 0:${MAX - 1}+5 again 2`, 'a 0:3+1 at 7'],
    ...['a 0:3+1 again 7', 'a 0:5+1 OUT_OF_ORDER_SEQUENCE_NUMBER', `a 0:${MAX - 3}+2 again 0`],
  ),
  script(
    'zero before 2^31-1 is a gap',
    ...[`a 0:${MAX - 1}+1 at 0`, 'a 0:0+1 OUT_OF_ORDER_SEQUENCE_NUMBER', `a 0:${MAX}+1 at 1`, 'a 0:0+1 at 2'],
  ),
  script(
    'a new epoch begins with zero',
    ...['a 0:0+1 at 0', 'a 0:1+1 at 1', 'a 1:5+1 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 1:2+1 OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ...['a 0:2+1 at 2', 'a 1:0+1 at 3', 'a 1:0+1 again 3', 'a 1:1+1 at 4'],
  ),
  script(
    'an old epoch is over, duplicates included',
    ...['a 0:0+1 at 0', 'a 3:0+1 at 1', 'a 0:0+1 INVALID_PRODUCER_EPOCH', 'a 0:1+1 INVALID_PRODUCER_EPOCH'],
    ...['a 2:0+1 INVALID_PRODUCER_EPOCH', 'a 3:1+1 at 2'],
  ),
  script('the last epoch', 'a 32766:0+1 at 0', 'a 32767:0+1 at 1', 'a 32766:1+1 INVALID_PRODUCER_EPOCH'),
  script(
    'producers do not know each other',
    'a 0:0+2 at 0',
    'b 0:0+2 at 2',
    'a 0:0+2 again 0',
    'b 0:2+1 at 4',
    'a 0:2+1 at 5',
  ),
  script(
    'without an id nothing is remembered',
    '- -1:-1+1 at 0',
    '- -1:-1+1 at 1',
    'a 0:0+1 at 2',
    '- -1:-1+1 at 3',
    'a 0:1+1 at 4',
  ),
  script(
    'deleted records leave their producers behind',
    ...['a 0:0+1 at 0', 'a 0:1+1 at 1', { deleteBefore: 2 }, 'a 0:1+1 again 1', 'a 0:3+1 OUT_OF_ORDER_SEQUENCE_NUMBER'],
    'a 0:2+1 at 2',
  ),
  script(
    'deleted records leave the rest of their producer',
    ...['a 0:0+1 at 0', 'a 0:1+2 at 1', { deleteBefore: 1 }, 'a 0:0+1 again 0', 'a 0:1+2 again 1', { deleteBefore: 2 }],
    ...['a 0:1+2 again 1', 'a 0:3+1 at 3'],
  ),
  script(
    'LogAppendTime: again is when it was first',
    'a 0:0+2 at 0',
    'a 0:2+1 at 2',
    'a 0:0+2 again 0',
    'a 0:2+1 again 2',
  ),
  script(
    'a broker that was killed knows its producers again',
    ...['a 0:0+1 at 0', 'a 0:1+1 at 1', 'b 3:0+2 at 2', { restart: true } as const, 'a 0:1+1 again 1'],
    ...['a 0:3+1 OUT_OF_ORDER_SEQUENCE_NUMBER', 'a 0:2+1 at 4', 'b 2:0+1 INVALID_PRODUCER_EPOCH', 'b 3:2+1 at 5'],
  ),
  script('an id for the asking', { init: {}, says: 'new epoch 0' }, 'a 0:0+1 at 0', {
    ...{ init: { transactionalId: '' }, says: 'INVALID_REQUEST' },
  }),
  script(
    'who has an id and asks for the next epoch gets another id, unless transactional (KIP-360)',
    ...['a 0:0+1 at 0', { init: { by: 'a', producerEpoch: 0 }, says: 'new epoch 0' }],
    ...[{ init: { producerEpoch: 3 }, says: 'INVALID_REQUEST' }, 'a 0:1+1 at 1'],
  ),
]

/** Where a script runs. */
export interface Target {
  /** `host:port` of the leader. */
  readonly address: string
  /** Deletes records; default: by asking the broker. */
  readonly deleteBefore?: (topic: string, offset: number) => void
  /** Kills the broker, and starts it again at the same address. */
  readonly restart: () => Promise<void>
}

/** What a script says, as `script.steps` have it. */
export async function run(script: Script, topic: string, target: Target): Promise<string[]> {
  const stage = await Stage.on(topic, script, target)
  const said: string[] = []
  try {
    for (const step of script.steps) {
      if ('by' in step) said.push(await stage.write(step))
      else if ('init' in step) said.push(await stage.init(step.init))
      else if ('restart' in step) await stage.restart()
      else await stage.deleteBefore(step.deleteBefore)
    }
    return said
  } finally {
    stage.close()
  }
}

export function expected({ steps }: Script): string[] {
  return steps.flatMap((step) => ('says' in step ? [step.says] : []))
}

/** `producerId` and `producerEpoch`, KIP-360. */
const FIRST_INIT_WITH_AN_ID = 3

/** Now: after a restart brokers forget producers whose latest record is older than `producer.id.expiration.ms`. */
const TIMESTAMP = Date.now() - 1000

/** Source: DeleteRecordsRequest.json and DeleteRecordsResponse.json of Apache Kafka. */
const deleteRecords = api({
  name: 'DeleteRecords',
  key: 21,
  versions: [0, 1],
  flexible: Infinity,
  request: {
    topics: array({ name: string, partitions: array({ partitionIndex: int32, offset: int64 }) }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, lowWatermark: int64, errorCode: int16 }),
    }),
  },
})

type PartitionAnswer = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

/** A connection to the leader, and the ids of the producers of one script. */
class Stage {
  #connection: Connection
  readonly #script: Script
  readonly #topic: string
  readonly #topicId: string
  readonly #target: Target
  readonly #ids = new Map<string, bigint>([['-', -1n]])
  /** What was said of the time of the batches that are there, by offset. */
  readonly #times = new Map<bigint, bigint>()

  private constructor(script: Script, connection: Connection, topic: string, topicId: string, target: Target) {
    this.#script = script
    this.#connection = connection
    this.#topic = topic
    this.#topicId = topicId
    this.#target = target
  }

  static async on(topic: string, script: Script, target: Target): Promise<Stage> {
    const connection = await connect(target)
    const asked = { topics: [{ name: topic }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
    const { topics } = await ask(connection, metadata, asked)
    return new Stage(script, connection, topic, topics[0]?.topicId ?? '', target)
  }

  async restart(): Promise<void> {
    this.#connection.close()
    await this.#target.restart()
    this.#connection = await connect(this.#target)
  }

  close(): void {
    this.#connection.close()
  }

  async write({ by, epoch, sequence, count }: Write): Promise<string> {
    const records = Array.from({ length: count }, (_, i) => ({
      key: null,
      value: `${by} ${i}`,
      timestamp: TIMESTAMP + i,
    }))
    const stamp = { producerId: await this.#idOf(by), producerEpoch: epoch, baseSequence: sequence }
    const partitionData = [{ index: 0, records: encodeRecordBatch(records, stamp) }]
    const topicData = [{ name: this.#topic, topicId: this.#topicId, partitionData }]
    const answer = await this.#produce({ acks: -1, timeoutMs: 10_000, topicData })
    if (answer.errorCode !== 0) return errorByCode(answer.errorCode).name
    return this.#judge(answer, count)
  }

  /** A broker that has just started does not lead at once. */
  async #produce(request: RequestInput<typeof produce>): Promise<PartitionAnswer> {
    for (;;) {
      const { responses } = await ask(this.#connection, produce, request)
      const answer = responses[0]?.partitionResponses[0]
      if (answer === undefined) throw new Error('no answer for the partition')
      if (errorByCode(answer.errorCode).recovery !== 'refresh-metadata') return answer
    }
  }

  /** What an answer says of the time is part of it: with CreateTime it has none, but that of a batch that was known. */
  #judge({ baseOffset, logAppendTimeMs }: PartitionAnswer, count: number): string {
    const firstTimeMs = this.#times.get(baseOffset)
    const isKnown = firstTimeMs !== undefined
    const isSet = this.#script.timestampType === 'LogAppendTime'
    const latestMs = BigInt(TIMESTAMP + count - 1)
    const dueMs = isSet ? (firstTimeMs ?? logAppendTimeMs) : isKnown ? latestMs : -1n
    this.#times.set(baseOffset, logAppendTimeMs)
    const time = logAppendTimeMs === dueMs && (!isSet || logAppendTimeMs > latestMs) ? '' : `, time ${logAppendTimeMs}`
    return `${isKnown ? 'again' : 'at'} ${baseOffset}${time}`
  }

  async init({ by, transactionalId, producerEpoch = -1 }: Init['init']): Promise<string> {
    const producerId = by === undefined ? -1n : await this.#idOf(by)
    const body = { transactionalId: transactionalId ?? null, transactionTimeoutMs: 60_000, producerId, producerEpoch }
    const isOld = this.#connection.newestVersion(initProducerId) < FIRST_INIT_WITH_AN_ID
    if (isOld && (by !== undefined || producerEpoch !== -1)) return 'cannot be asked'
    const answer = await askInit(this.#connection, body)
    if (answer.errorCode !== 0) return errorByCode(answer.errorCode).name
    const isNew = ![...this.#ids.values()].includes(answer.producerId)
    return `${isNew ? 'new' : 'known'} epoch ${answer.producerEpoch}`
  }

  async deleteBefore(offset: number): Promise<void> {
    if (this.#target.deleteBefore) {
      this.#target.deleteBefore(this.#topic, offset)
      return
    }
    const partitions = [{ partitionIndex: 0, offset: BigInt(offset) }]
    const body = { topics: [{ name: this.#topic, partitions }], timeoutMs: 10_000 }
    const { topics } = await ask(this.#connection, deleteRecords, body)
    if (topics[0]?.partitions[0]?.errorCode !== 0) throw new Error('DeleteRecords was refused')
  }

  async #idOf(by: string): Promise<bigint> {
    const known = this.#ids.get(by)
    if (known !== undefined) return known
    const body = { transactionalId: null, transactionTimeoutMs: 60_000 }
    const { errorCode, producerId } = await askInit(this.#connection, body)
    if (errorCode !== 0) throw new Error(`InitProducerId: ${errorByCode(errorCode).name}`)
    this.#ids.set(by, producerId)
    return producerId
  }
}

async function ask<A extends Api>(connection: Connection, api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
  const outcome = await connection.request(api, body)
  if ('error' in outcome) throw outcome.error
  return outcome.response
}

/** A broker that has just started answers COORDINATOR_LOAD_IN_PROGRESS until it has ids to give. */
async function askInit(
  connection: Connection,
  body: RequestInput<typeof initProducerId>,
): Promise<ResponseOf<typeof initProducerId>> {
  for (;;) {
    const answer = await ask(connection, initProducerId, body)
    if (errorByCode(answer.errorCode).recovery !== 'retry') return answer
  }
}

function connect({ address }: Target): Promise<Connection> {
  const [host = '', port] = address.split(':')
  const limits = { connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, maxIdleMs: 60_000 }
  const options = { nodeId: null, host, port: Number(port), clientId: 'script', clock: systemClock, ...limits }
  return openConnection(options, { name: 'headrace-test', version: '1' }, () => undefined)
}
