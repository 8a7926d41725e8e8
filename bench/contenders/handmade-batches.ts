import type { Job } from '../compare/job.ts'
import { chains, handmade, MAX_CALLS, type Client, type Supply } from './client.ts'

export interface Message {
  readonly key: Buffer | null
  readonly value: Buffer
}

/** A client that is fastest when the caller hands it arrays: five calls at once share what may be under way. */
export function clientWithArrays(
  job: Job,
  supply: Supply,
  parts: {
    readonly version: string
    readonly settings: Readonly<Record<string, unknown>>
    readonly send: (messages: Message[]) => Promise<unknown>
    readonly close: () => Promise<void>
  },
): Client {
  const { calls, batch } = handmade(job)
  const next = messagesOf(supply)
  const batches =
    job.load === 'closed'
      ? { 'records a call': batch, 'calls at once': calls }
      : { 'records a call': 'all that are due', 'calls at once': MAX_CALLS }
  return {
    version: parts.version,
    settings: { ...parts.settings, ...batches },
    async flood(until) {
      let count = 0
      await chains(calls, until, async () => {
        await parts.send(next(batch))
        count += batch
      })
      return count
    },
    burst: batchedBursts(next, parts.send),
    close: parts.close,
  }
}

interface Due {
  readonly first: number
  readonly count: number
  readonly acked: (index: number) => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What falls due while all calls are out goes with the next one, as somebody who batches by hand would have it. */
function batchedBursts(
  next: (count: number) => Message[],
  send: (messages: Message[]) => Promise<unknown>,
): NonNullable<Client['burst']> {
  let due: Due[] = []
  let calls = 0
  const pump = async (): Promise<void> => {
    if (calls === MAX_CALLS || due.length === 0) return
    const batch = due
    due = []
    calls++
    try {
      await send(next(batch.reduce((sum, { count }) => sum + count, 0)))
      for (const { first, count, acked } of batch) for (let i = first; i < first + count; i++) acked(i)
      for (const { resolve } of batch) resolve()
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    calls--
    await pump()
  }
  return (first, count, acked) =>
    new Promise((resolve, reject) => {
      due.push({ first, count, acked, resolve, reject })
      void pump()
    })
}

function messagesOf({ values, keys }: Supply): (count: number) => Message[] {
  let i = 0
  const message = (): Message => {
    const key = keys[i % keys.length] ?? null
    return { key, value: values[i++ % values.length] ?? Buffer.alloc(0) }
  }
  return (count) => Array.from({ length: count }, message)
}
