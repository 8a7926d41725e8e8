import type { Clock } from '../clock.ts'
import type { ProducerOptions } from '../producer/producer-options.ts'
import type { DiagnosisStep } from './diagnosis-step.ts'

export type { DiagnosisStep } from './diagnosis-step.ts'

/**
 * Finds out what a producer with these options would meet, one step after the other, on the same way: name resolution,
 * TCP, TLS, API versions and login for each bootstrap address; metadata; every other broker at the address that it
 * advertises; with `topic`, whether it is there and whether we may write to it. Creates nothing and writes nothing.
 *
 * What is found is told, not thrown: `ok: false` comes with what is wrong, what to try, and the `code` that the error of a
 * producer would have. What cannot be found out any more is left out. Bounded by `connectTimeoutMs` per address (ten
 * brokers at once) and `requestTimeoutMs` per question; leaving the loop early closes everything.
 *
 * @throws {OptionError} by the first `next()`: the options are wrong, as for `new Producer`.
 */
export function diagnose(options: ProducerOptions, target?: { topic?: string }): AsyncIterable<DiagnosisStep>
/** @internal Tests own the time. */
export function diagnose(
  options: ProducerOptions,
  target: { topic?: string } | undefined,
  clock: Clock,
): AsyncIterable<DiagnosisStep>
export async function* diagnose(
  options: ProducerOptions,
  target?: { topic?: string },
  clock?: Clock,
): AsyncGenerator<DiagnosisStep, void> {
  // Most programs never come here; they are spared the time that it takes to load.
  const { steps } = await import('./steps.ts')
  yield* steps(options, target, clock)
}
