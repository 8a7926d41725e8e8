import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import type { Logger, Producer } from '../../src/index.ts'

/** Every name in `diagnostics.ts`. */
const CHANNELS = [
  ...new Set(readFileSync(new URL('../../src/diagnostics.ts', import.meta.url), 'utf8').match(/headrace:\w+:[\w-]+/g)),
]

/** Everything that a producer tells anybody: channels, log, errors, its statistics and itself. */
export class Eavesdropper {
  readonly heard: unknown[] = []
  readonly channels = new Set<string>()
  readonly logger: Logger = {
    debug: (fields, message) => void this.heard.push(['debug', message, fields]),
    info: (fields, message) => void this.heard.push(['info', message, fields]),
    warn: (fields, message) => void this.heard.push(['warn', message, fields]),
    error: (fields, message) => void this.heard.push(['error', message, fields]),
  }
  readonly #listen = (event: unknown, name: string | symbol): void => {
    this.channels.add(String(name))
    this.heard.push([name, event])
  }

  start(): void {
    for (const name of CHANNELS) subscribe(name, this.#listen)
  }

  stop(): void {
    for (const name of CHANNELS) unsubscribe(name, this.#listen)
  }

  /** What can be asked of it. */
  ask(producer: Producer): void {
    this.heard.push(producer, producer.stats())
  }
}
