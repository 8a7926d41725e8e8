import { checkFault, errorCodeOf, type FaultOptions } from './fault-options.ts'

/** A fault that was asked for. */
export interface FaultRule {
  /** Requests that it hit so far. */
  readonly hits: number
  /** Ends it. */
  remove(): void
}

/** What a request speaks of; `partition` is null where it is about a topic as a whole. */
export interface Mention {
  readonly topic: string
  readonly partition: number | null
}

class Rule implements FaultRule {
  readonly options: FaultOptions
  readonly errorCode: number | null
  hits = 0
  #passed = 0
  #isRemoved = false

  constructor(options: FaultOptions) {
    this.options = options
    this.errorCode = options.error === undefined ? null : errorCodeOf(options.error)
  }

  get isActive(): boolean {
    return !this.#isRemoved && this.hits < (this.options.times ?? 1)
  }

  /** Whether it still lets requests pass. */
  get isWaiting(): boolean {
    return this.#passed < (this.options.after ?? 0)
  }

  remove(): void {
    this.#isRemoved = true
  }

  /** A request met it. */
  count(): void {
    if (this.isWaiting) this.#passed++
    else this.hits++
  }

  isFor(topic: string, partition: number | null): boolean {
    const { options } = this
    if (options.topic !== undefined && options.topic !== topic) return false
    return options.partition === undefined || partition === null || options.partition === partition
  }
}

/** The faults that one request met: which rule hit what it speaks of. */
export class Faults {
  readonly #byMention: ReadonlyMap<string, Rule>

  constructor(byMention: ReadonlyMap<string, Rule>) {
    this.#byMention = byMention
  }

  /** An effect on the answer as a whole. */
  effect<Name extends keyof FaultOptions>(name: Name): FaultOptions[Name] | undefined {
    for (const { options } of this.#byMention.values()) if (options[name] !== undefined) return options[name]
    return undefined
  }

  /** The error for the request as a whole; 0: none. */
  get errorCode(): number {
    for (const { errorCode, options } of this.#byMention.values()) {
      if (errorCode !== null && options.topic === undefined) return errorCode
    }
    return 0
  }

  /** The error for a topic or partition; 0: none. */
  errorCodeFor(topic: string, partition: number | null): number {
    return this.#byMention.get(keyOf({ topic, partition }))?.errorCode ?? 0
  }

  /** The same for one partition. */
  effectFor<Name extends keyof FaultOptions>(
    name: Name,
    topic: string,
    partition: number,
  ): FaultOptions[Name] | undefined {
    return this.#byMention.get(keyOf({ topic, partition }))?.options[name]
  }

  /** Whether records for a partition are appended although something goes wrong. */
  isWritten(topic: string, partition: number): boolean {
    const rule = this.#byMention.get(keyOf({ topic, partition }))
    return rule === undefined || (rule.options.isWritten ?? rule.errorCode === null)
  }
}

/** The broker has nothing but this error for the request, whatever it asks. */
export class Refusal extends Faults {
  readonly #errorCode: number

  constructor(errorCode: number) {
    super(new Map())
    this.#errorCode = errorCode
  }

  override get errorCode(): number {
    return this.#errorCode
  }

  override errorCodeFor(): number {
    return this.#errorCode
  }

  override isWritten(): boolean {
    return false
  }
}

/** Faults in the order in which they were asked for: of two that fit, the older one goes first. */
export class FaultList {
  #rules: Rule[] = []

  /** @throws {OptionError} an error that Kafka does not have, or nothing that goes wrong. */
  add(options: FaultOptions): FaultRule {
    checkFault(options)
    const rule = new Rule(options)
    this.#rules.push(rule)
    return rule
  }

  /** The faults for a request. Each of its mentions is hit by one rule at most, and each rule counts a request once. */
  take(api: string, broker: number, mentions: readonly Mention[]): Faults {
    this.#rules = this.#rules.filter(({ isActive }) => isActive)
    if (this.#rules.length === 0) return NO_FAULTS
    const byMention = new Map<string, Rule>()
    const met = new Set<Rule>()
    const rules = this.#rules.filter(({ options }) => options.api === api && (options.broker ?? broker) === broker)
    for (const mention of mentions.length === 0 ? [NO_MENTION] : mentions) {
      for (const rule of rules.filter((candidate) => candidate.isFor(mention.topic, mention.partition))) {
        met.add(rule)
        if (rule.isWaiting) continue
        byMention.set(keyOf(mention), rule)
        break
      }
    }
    for (const rule of met) rule.count()
    return new Faults(byMention)
  }
}

const NO_FAULTS = new Faults(new Map())
/** No topic has an empty name. */
const NO_MENTION: Mention = { topic: '', partition: null }

function keyOf({ topic, partition }: Mention): string {
  return `${partition ?? ''} ${topic}`
}
