import { describe, it } from 'vitest'
import { brokersAvailable, type Availability } from './available.ts'

/** How a group of tests that needs brokers is collected: run, skipped with its reason in the name, or failed. */
export function planBrokerTests(availability: Availability, mustRun: boolean): 'run' | 'skip' | 'fail' {
  if (availability.ok) return 'run'
  return mustRun ? 'fail' : 'skip'
}

const availability = await brokersAvailable()

/** `describe` for tests on real brokers. HEADRACE_REQUIRE_BROKERS=1 makes a missing broker a failing test. */
export function describeBrokers(name: string, body: () => void): void {
  describeWhere(availability, name, body)
}

/** The same for tests that need something else as well: see `foreignBrokerAvailable`. */
export function describeWhere(availability: Availability, name: string, body: () => void): void {
  const reason = availability.ok ? '' : availability.reason
  switch (planBrokerTests(availability, process.env['HEADRACE_REQUIRE_BROKERS'] === '1')) {
    case 'run':
      describe(name, body)
      return
    case 'skip':
      console.warn(`\nSKIPPED, no real broker: ${name}\n  ${reason}\n`)
      describe.skip(`${name} (skipped: ${reason.split('\n', 1)[0] ?? ''})`, body)
      return
    case 'fail':
      describe(name, () => {
        it('has real brokers to run on (HEADRACE_REQUIRE_BROKERS=1)', () => {
          throw new Error(reason)
        })
      })
  }
}
