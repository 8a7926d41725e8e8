import { diagnose, type ProducerOptions } from '../index.ts'

/** What brokers lack that are older than a release. */
const LACKS = [
  [0, 11, 'headers, idempotence (a retry may write a second copy), batches of format v2 (message set v1 is used)'],
  [2, 1, 'Zstd'],
] as const
const RELEASE = /most likely Kafka (?:older than )?((\d+)\.(\d+)[^;]*?)$/

export interface BrokerAge {
  /** `0.10.2`, `2.2 to 2.4`. */
  readonly kafka: string
  readonly lacks: readonly string[]
}

/** How old the brokers are, by what the first one that answers says of itself. Null: none does. Never rejects. */
export async function findBrokerAge(options: ProducerOptions): Promise<BrokerAge | null> {
  try {
    // Leaving the loop closes its connections.
    for await (const { step, ok, message } of diagnose(options)) {
      const age = step === 'api-versions' && ok ? ageOf(message, options) : null
      if (age !== null) return age
    }
    return null
  } catch {
    // Only a line of the log is lost; what is wrong, the write itself will say.
    return null
  }
}

function ageOf(message: string, { compression }: ProducerOptions): BrokerAge | null {
  const [, kafka, major = '', minor = ''] = RELEASE.exec(message) ?? []
  if (kafka === undefined) return null
  const lacks = LACKS.filter(([newMajor, newMinor, what]) => {
    const isOlder = Number(major) < newMajor || (Number(major) === newMajor && Number(minor) < newMinor)
    return isOlder && (what !== 'Zstd' || compression === 'zstd')
  })
  return { kafka, lacks: lacks.map(([, , what]) => what) }
}
