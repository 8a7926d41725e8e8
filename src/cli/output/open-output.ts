import { OptionError } from '../../index.ts'
import { KafkaOutput, type KafkaOutputOptions } from '../../output/output.ts'
import { loggerFor } from '../connect.ts'
import { UsageError } from '../exit-code.ts'
import { Wording } from '../wording.ts'
import type { OutputConfig } from './output-config.ts'

/** @throws {UsageError} the options are wrong, in the words of the configuration file. */
export function openOutput({ path, output }: OutputConfig, own: Partial<KafkaOutputOptions>): KafkaOutput {
  try {
    const wording = new Wording({}, { flags: new Map(), config: { path, names: new Set() } })
    return new KafkaOutput({ ...output, logger: loggerFor(wording), ...own })
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    throw new UsageError(`${path}: ${error.message.replace(/^\w+: [A-Z_]+: /, '')}`, { cause: error })
  }
}
