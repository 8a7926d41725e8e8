import { expect } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { diagnose, type DiagnosisStep } from '../../src/diagnose/diagnose.ts'
import type { ProducerOptions } from '../../src/index.ts'

/** All that is told. */
export async function stepsOf(
  options: ProducerOptions,
  topic?: string,
  clock: Clock = systemClock,
): Promise<DiagnosisStep[]> {
  const steps: DiagnosisStep[] = []
  for await (const step of diagnose(options, topic === undefined ? undefined : { topic }, clock)) steps.push(step)
  for (const { ms } of steps) expect(ms).toBeGreaterThanOrEqual(0)
  return steps
}

/** The one thing that is wrong; all before it went well, and nothing came after it. */
export async function failureOf(options: ProducerOptions, topic?: string): Promise<DiagnosisStep> {
  const steps = await stepsOf(options, topic)
  expect(steps.filter(({ ok }) => !ok)).toHaveLength(1)
  expect(steps.at(-1)).toMatchObject({ ok: false })
  // Of one bootstrap address: what is told as good is not told as bad afterwards.
  expect(new Set(steps.map(({ step }) => step)).size).toBe(steps.length)
  return steps.at(-1)!
}

export function namesOf(steps: readonly DiagnosisStep[]): string[] {
  return steps.map(({ step, ok }) => (ok ? step : `${step} FAILED`))
}
