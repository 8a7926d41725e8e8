import { OutputError, type ConnectionStep, type KafkaOutput } from '../../output/output.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { oneLine, paintFor, plainText, printData, printJson, printNote } from '../terminal.ts'

/** What stands between us and the brokers; a failure of another step is about the topic. */
const ON_THE_WAY: ReadonlySet<string> = new Set(['secrets', 'reachability', 'authentication'])

/** The steps of `testConnection`, those of one that failed, too. */
export async function stepsOf(output: KafkaOutput): Promise<readonly ConnectionStep[]> {
  try {
    return await output.testConnection()
  } catch (error) {
    if (error instanceof OutputError && error.steps.length > 0) return error.steps
    throw error
  }
}

export function exitCodeOfSteps(steps: readonly ConnectionStep[]): ExitCode {
  const failed = steps.filter(({ ok }) => ok === false)
  if (failed.length === 0) return EXIT.ok
  return failed.some(({ step }) => ON_THE_WAY.has(step)) ? EXIT.connection : EXIT.undelivered
}

/** The answer to `--test-connection`: a line for each step, on stdout. */
export function showSteps(steps: readonly ConnectionStep[], isJson: boolean): void {
  const paint = paintFor(process.stdout)
  for (const { ok, step, ms, message, code } of steps) {
    if (isJson) printJson({ step, ok, ms: Number(ms.toFixed(3)), message, ...(code === undefined ? {} : { code }) })
    else {
      const mark = ok === null ? '?     ' : ok ? 'ok    ' : paint.bad('FAILED')
      printData(`${mark}  ${`${ms.toFixed(0)} ms`.padStart(8)}  ${step.padEnd(14)}  ${plainText(oneLine(message))}`)
    }
  }
}

/**
 * Why nothing can be sent, told on stderr. A topic that is not there yet may come with the first record, and what may be
 * written the brokers say then.
 */
export function complain(steps: readonly ConnectionStep[]): boolean {
  const failed = steps.filter(({ ok, step }) => ok === false && ON_THE_WAY.has(step))
  for (const { step, message } of failed) printNote(`headrace: ${step}: ${plainText(oneLine(message))}`)
  return failed.length > 0
}
