import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { BrokerError, type Producer } from '../../index.ts'
import { connect, spoken } from '../connect.ts'
import type { Asked } from '../connection-options.ts'
import { EXIT, SpokenError, UsageError, type ExitCode } from '../exit-code.ts'
import { grouped } from '../numbers.ts'
import { reasonOf } from '../read-file.ts'
import { printError, printNote } from '../terminal.ts'
import { report } from './bench-report.ts'
import { BenchRun, type BenchOutcome, type Outcome } from './bench-run.ts'
import { Payload } from './payload.ts'
import type { BenchPlan } from './plan.ts'
import { announcement, settingsOf } from './settings.ts'
import { plotSvg } from './svg-plot.ts'

/** What an unsettled record is charged beside its value: its key, its place in a batch, the objects around it. */
const RECORD_BYTES = 700

/** Load as planned, and a report about it. @throws {UsageError | SpokenError} nothing was sent. */
export async function runBench(asked: Asked, plan: BenchPlan): Promise<ExitCode> {
  if (plan.svgFile !== null) checkWritable(plan.svgFile)
  const producer = await connect(asked)
  try {
    const partitions = await partitionCount(producer, plan.topic, asked)
    const fitting = withRoom(plan, producer)
    const settings = settingsOf(fitting, asked.options, partitions)
    for (const line of announcement(settings, asked.options.brokers)) printNote(line)
    const outcome = await new BenchRun(producer, fitting, new Payload(fitting)).run()
    const { wording } = asked
    report(outcome, { settings, isJson: plan.isJson, speak: (message) => wording.sentence(message) })
    const shown = outcome.measured ?? outcome.warmup
    const isSaved = plan.svgFile === null || shown === null || save(plan.svgFile, plotSvg(shown, settings))
    return isComplete(outcome) && isSaved ? EXIT.ok : EXIT.undelivered
  } finally {
    // Everything has settled.
    await producer.close({ timeoutMs: 0 }).catch(() => undefined)
  }
}

function isComplete({ warmup, measured }: BenchOutcome): boolean {
  const isFine = (one: Outcome): boolean => one.failures.total === 0 && one.earlyEnd === null
  return measured !== null && isFine(measured) && (warmup === null || isFine(warmup))
}

async function partitionCount(producer: Producer, topic: string, asked: Asked): Promise<number> {
  try {
    return (await producer.partitionsFor(topic)).length
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') {
      throw new SpokenError(`topic ${JSON.stringify(topic)} does not exist, and bench makes none`, error)
    }
    throw spoken(error, asked.wording)
  }
}

/** What waits for room in the buffer would be refused in the end: fewer sends, then. */
function withRoom(plan: BenchPlan, producer: Producer): BenchPlan {
  const { bufferBytes } = producer.stats()
  const room = Math.max(1, Math.floor(bufferBytes / (plan.valueBytes + RECORD_BYTES)))
  if (plan.load.concurrency <= room) return plan
  printNote(
    `headrace: no more than ${grouped(room)} sends under way: so many fit into bufferBytes (${grouped(bufferBytes)})`,
  )
  return { ...plan, load: { ...plan.load, concurrency: room } }
}

/** Before anything is sent: that a plot cannot be written would be known when all is over. */
function checkWritable(path: string): void {
  try {
    if (existsSync(path) && statSync(path).isDirectory()) throw new Error('it is a folder')
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK)
  } catch (error) {
    throw new UsageError(unwritable(path, error), { cause: error })
  }
}

/** @returns whether it could be written. */
function save(path: string, svg: string): boolean {
  try {
    writeFileSync(path, svg)
    printNote(`plot written to ${path}`)
    return true
  } catch (error) {
    printError(new Error(unwritable(path, error), { cause: error }))
    return false
  }
}

function unwritable(path: string, error: unknown): string {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return `--svg: ${path} cannot be written: ${isMissing ? 'there is no such folder' : reasonOf(error)}`
}
