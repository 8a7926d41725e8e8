import type { KafkaDestination } from '../../destination/destination.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { counted } from '../numbers.ts'
import { printData, printJson, printNote } from '../terminal.ts'
import type { DestinationConfiguration } from './configuration.ts'
import { deliverFile, type DeliverFileOptions } from './deliver-file.ts'
import { destinationLogger } from './destination-log.ts'
import type { DestinationDoor } from './door.ts'
import { firstAnswer } from './no-way-in.ts'

export interface RunOnceOptions extends DeliverFileOptions {
  readonly what: 'file' | 'check' | 'topics'
}

/** What has an end of its own. @throws {NoWayIn} the cluster lets nobody in. @throws {UsageError} no such file. */
export async function runOnce(
  door: DestinationDoor,
  configuration: DestinationConfiguration,
  options: RunOnceOptions,
): Promise<ExitCode> {
  const given = { ...configuration.options, logger: destinationLogger(configuration.isLocal) }
  const destination = new door.KafkaDestination(given)
  try {
    switch (options.what) {
      case 'file':
        return await deliverFile(destination, options)
      case 'topics':
        return await printTopics(destination, options.isJson)
      case 'check':
        return await check(destination, configuration, options.isJson)
    }
  } finally {
    await destination.close()
  }
}

async function printTopics(destination: KafkaDestination, isJson: boolean): Promise<ExitCode> {
  const topics = await firstAnswer(destination.topics())
  if (isJson) printJson(topics)
  else for (const { name, partitions } of topics) printData(`${name}  ${counted(partitions, 'partition')}`)
  return EXIT.ok
}

/** The configuration was looked at when it was read. */
async function check(
  destination: KafkaDestination,
  { options }: DestinationConfiguration,
  isJson: boolean,
): Promise<ExitCode> {
  await firstAnswer(destination.testAuthentication())
  const known = new Set((await firstAnswer(destination.topics())).map(({ name }) => name))
  const wanted = options.mappings.flatMap(({ fields: { topic } }) => (typeof topic === 'string' ? [topic] : []))
  const missingTopics = [...new Set(wanted)].filter((topic) => !known.has(topic))
  const { length: mappings } = options.mappings
  if (isJson) printJson({ mappings, topics: known.size, missingTopics })
  else {
    printNote(`${counted(mappings, 'mapping')} can be used, and Kafka lets us in: ${counted(known.size, 'topic')}`)
    for (const topic of missingTopics) printNote(`topic ${topic} is not there yet`)
  }
  return EXIT.ok
}
