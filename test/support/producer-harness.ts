/**
 * The set-up of every test that runs a Producer against a cluster in the process: makes both, closes both, and then judges,
 * without being asked, by the oracles of faults-and-security.md 2.2. A test that breaks one on purpose says so (`except`).
 */
import { afterEach, beforeEach } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { Producer, ProducerOptions } from '../../src/index.ts'
import type { TestCluster, TestClusterOptions } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from './fake-clock.ts'
import { TestUnderWatch, type Exceptions, type ProducerSetup } from './test-under-watch.ts'

/** Of a test that went wrong throughout the first ones are enough. */
const MAX_VIOLATIONS = 20

/** For producers whose time is real. */
export const realTime: ProducerSetup = { clock: systemClock }

export class ProducerHarness {
  #test = new TestUnderWatch()

  /** Of this test: time stands still unless it is moved, so what settles by itself needed no timer. */
  get clock(): FakeClock {
    return this.#test.clock
  }

  /** Closed after the test. The latest one is where new producers go. */
  startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
    return this.#test.startCluster(options)
  }

  /** Closed after the test; whatever it sends is judged. */
  newProducer(options: Partial<ProducerOptions> = {}, setup: ProducerSetup = {}): Producer {
    return this.#test.newProducer(options, setup)
  }

  /** Of these rules this test is not judged. One that nothing breaks is refused: the exception is out of date. */
  except(exceptions: Exceptions): void {
    this.#test.except(exceptions)
  }

  begin(): void {
    this.#test = new TestUnderWatch()
    this.#test.begin()
  }

  /** @throws the violations. @param isJudged no: it has failed already, only close. */
  async end(isJudged: boolean): Promise<void> {
    const violations = await this.#test.end()
    if (!isJudged || violations.length === 0) return
    const shown = violations.slice(0, MAX_VIOLATIONS).join('\n')
    throw new Error(`the oracles say ${violations.length} times that something is wrong:\n${shown}`)
  }
}

/** Once per test file, on top. */
export function producerHarness(): ProducerHarness {
  const harness = new ProducerHarness()
  beforeEach(() => harness.begin())
  afterEach(({ task }) => harness.end(task.result?.state !== 'fail'))
  return harness
}
