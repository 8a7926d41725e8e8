import { Option, type Command } from 'commander'
import { acks, integer } from './arguments.ts'
import type { FlagNames } from './wording.ts'

export const MAX_REQUEST_BYTES = 1_048_576

/** Options of the library that are flags of every command that sends. */
export const SENDING_FLAGS: FlagNames = {
  acks: '--acks',
  compression: '--compression',
  batchBytes: '--batch-bytes',
  maxRequestBytes: '--max-request-bytes',
  lingerMs: '--linger-ms',
  deliveryTimeoutMs: '--delivery-timeout-ms',
  clientId: '--client-id',
}

export function acksFlag(): Option {
  return new Option('--acks <who>', 'who must have a record').choices(['all', '1', '0']).argParser(acks).default('all')
}

export interface BatchFlags {
  readonly batchBytes: number
  /** What a batch may wait for. */
  readonly what: 'lines' | 'records'
  readonly clientId: string
}

/** Everything in `SENDING_FLAGS` but `--acks`. */
export function addBatchFlags(command: Command, { batchBytes, what, clientId }: BatchFlags): Command {
  return command
    .option('--compression <codec>', 'of the batches: none, gzip, snappy, lz4, zstd', 'none')
    .option('--batch-bytes <number>', 'size of a batch', integer(1), batchBytes)
    .option('--max-request-bytes <number>', 'no record is larger', integer(1), MAX_REQUEST_BYTES)
    .option('--linger-ms <number>', `how long a batch may wait for more ${what}`, integer(0), 0)
    .option('--delivery-timeout-ms <number>', 'when to give a record up', integer(1), 120_000)
    .option('--client-id <name>', 'how the brokers name us', clientId)
}
