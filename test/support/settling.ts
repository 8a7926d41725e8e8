import type { KafkaError } from '../../src/index.ts'
import type { FakeClock } from './fake-clock.ts'

/** What a promise is rejected with. @throws if it is not. */
export async function failureOf(promise: Promise<unknown>): Promise<KafkaError> {
  return promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as KafkaError,
  )
}

/** Lets time pass in small steps until a promise has settled. */
export async function advanceUntilSettled(clock: FakeClock, promise: Promise<unknown>, stepMs: number): Promise<void> {
  const state = { isSettled: false }
  const settle = (): void => void (state.isSettled = true)
  promise.then(settle, settle)
  while (!state.isSettled) await clock.advance(stepMs)
}
