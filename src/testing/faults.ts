import { OptionError } from '../errors.ts'
import { nearestNames } from '../nearest.ts'
import type { ServedApi } from './options.ts'
import { errorByName } from '../protocol/error-codes.ts'

/** Which requests a fault is for, and what goes wrong with them. Effects can be combined. */
export interface FaultOptions {
  readonly api: ServedApi
  /** Only requests that speak of this topic; an `error` hits this topic alone. */
  readonly topic?: string | undefined
  /** Only requests that speak of this partition; an `error` hits this partition alone. */
  readonly partition?: number | undefined
  /** Only requests to this broker, by node id. */
  readonly broker?: number | undefined
  /** How many requests go wrong; `Infinity`: all. Default 1. */
  readonly times?: number | undefined
  /** Answers with this error, by Kafka's name (`'NOT_LEADER_OR_FOLLOWER'`) or number. */
  readonly error?: string | number | undefined
  /** The text that goes with `error`, where the answer has room for one. */
  readonly errorMessage?: string | undefined
  /** Answers so much later; answers to later requests wait behind this one. */
  readonly delayMs?: number | undefined
  /** Closes the connection after so many bytes of the answer; 0: instead of an answer. */
  readonly closeAfterBytes?: number | undefined
  /** Never answers; answers to later requests on the connection wait behind this one, for ever. */
  readonly silent?: boolean | undefined
  /** Answers in pieces of so many bytes. */
  readonly splitBytes?: number | undefined
  /** Answers with a correlation id that nobody asked with. */
  readonly wrongCorrelationId?: boolean | undefined
  /** Answers with these bytes, whatever they are, length and header included. */
  readonly answer?: ((correlationId: number) => Uint8Array) | undefined
  /** Whether Produce appends the records all the same. Default: not with `error`, otherwise yes. */
  readonly isWritten?: boolean | undefined
}

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
  #isRemoved = false

  constructor(options: FaultOptions) {
    this.options = options
    this.errorCode = options.error === undefined ? null : errorCodeOf(options.error)
  }

  get isActive(): boolean {
    return !this.#isRemoved && this.hits < (this.options.times ?? 1)
  }

  remove(): void {
    this.#isRemoved = true
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

  /** Whether records for a partition are appended although something goes wrong. */
  isWritten(topic: string, partition: number): boolean {
    const rule = this.#byMention.get(keyOf({ topic, partition }))
    return rule === undefined || (rule.options.isWritten ?? rule.errorCode === null)
  }
}

/** Faults in the order in which they were asked for: of two that fit, the older one goes first. */
export class FaultList {
  #rules: Rule[] = []

  /** @throws {OptionError} an error that Kafka does not have, or nothing that goes wrong. */
  add(options: FaultOptions): FaultRule {
    checkNames(options)
    const rule = new Rule(options)
    this.#rules.push(rule)
    return rule
  }

  /** The faults for a request. Each of its mentions meets one rule at most, and each rule counts a request once. */
  take(api: string, broker: number, mentions: readonly Mention[]): Faults {
    this.#rules = this.#rules.filter(({ isActive }) => isActive)
    if (this.#rules.length === 0) return NO_FAULTS
    const byMention = new Map<string, Rule>()
    const hit = new Set<Rule>()
    const rules = this.#rules.filter(({ options }) => options.api === api && (options.broker ?? broker) === broker)
    for (const mention of mentions.length === 0 ? [NO_MENTION] : mentions) {
      const rule = rules.find((candidate) => candidate.isFor(mention.topic, mention.partition))
      if (rule === undefined) continue
      byMention.set(keyOf(mention), rule)
      hit.add(rule)
    }
    for (const rule of hit) rule.hits++
    return new Faults(byMention)
  }
}

const NO_FAULTS = new Faults(new Map())
/** No topic has an empty name. */
const NO_MENTION: Mention = { topic: '', partition: null }

const WHERE_NAMES = ['api', 'topic', 'partition', 'broker', 'times', 'errorMessage', 'isWritten']
const EFFECT_NAMES = ['error', 'delayMs', 'closeAfterBytes', 'silent', 'splitBytes', 'wrongCorrelationId', 'answer']

/** A fault that does nothing because of a typing error would make a test that proves nothing. */
function checkNames(options: FaultOptions): void {
  const names = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  for (const name of names) {
    if (WHERE_NAMES.includes(name) || EFFECT_NAMES.includes(name)) continue
    const [nearest] = nearestNames(name, [...WHERE_NAMES, ...EFFECT_NAMES])
    throw misuse(`fail: ${name}: unknown option${nearest === undefined ? '' : `: did you mean ${nearest}?`}`)
  }
  if (!names.some((name) => EFFECT_NAMES.includes(name))) {
    throw misuse(`fail: nothing goes wrong; say one of ${EFFECT_NAMES.join(', ')}`)
  }
}

function keyOf({ topic, partition }: Mention): string {
  return `${partition ?? ''} ${topic}`
}

function errorCodeOf(error: string | number): number {
  if (typeof error === 'number') return error
  const row = errorByName(error)
  if (row !== undefined) return row.code
  throw misuse(`fail: Kafka has no error ${error}`)
}

function misuse(what: string): OptionError {
  return new OptionError('INVALID_ARGUMENT', `TestCluster: INVALID_ARGUMENT: ${what}`)
}
