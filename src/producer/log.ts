import type { Logger } from './producer-options.ts'

/** A function of the user's, with what it is to hear. */
export interface Callback {
  /** The function's name, for the log if it throws. */
  readonly what: string
  call(): void
}

/** The user's logger, which may not be there, or throw. */
export class Log {
  readonly #logger: Logger | undefined

  constructor(logger: Logger | undefined) {
    this.#logger = logger
  }

  warn(message: string, fields: object): void {
    this.#tell('warn', message, fields)
  }

  error(message: string, fields: object): void {
    this.#tell('error', message, fields)
  }

  /** Calls a function of the user's; one that throws must not take other records with it. */
  guard(callback: Callback): void {
    try {
      callback.call()
    } catch (error) {
      this.error(`${callback.what} threw: ${error instanceof Error ? error.message : String(error)}`, { err: error })
    }
  }

  #tell(level: keyof Logger, message: string, fields: object): void {
    try {
      this.#logger?.[level](fields, message)
    } catch {
      // A logger that throws has nobody to tell; it must not take the records with it.
    }
  }
}
