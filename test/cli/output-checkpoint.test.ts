import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readCheckpoint, writeCheckpoint, type Checkpoint } from '../../src/cli/output/checkpoint-file.ts'
import { lockCheckpoint } from '../../src/cli/output/checkpoint-lock.ts'
import { Checkpointer } from '../../src/cli/output/checkpointer.ts'
import { identityOf, whyAnotherInput } from '../../src/cli/output/input-identity.ts'
import type { InputRow } from '../../src/cli/output/input-row.ts'
import { AT_THE_BEGINNING, RowFeed, type Position, type RowFeedOptions } from '../../src/cli/output/row-feed.ts'
import { Row } from '../../src/output/output.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-checkpoint-'))
  path = join(folder, 'cp')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const NO_INPUT = { headBytes: 0, headSha256: '', tailBytes: 0, tailSha256: '' }
const SOME: Checkpoint = {
  ...{ topic: 't', format: 'csv', names: ['a', 'b'], safeBytes: 17, safeLines: 3, safeRows: 2, windowRows: 10 },
  input: NO_INPUT,
}

describe('the file', () => {
  test('reads back as it was written, and leaves nothing beside it', async () => {
    await writeCheckpoint(path, SOME)
    await writeCheckpoint(path, { ...SOME, safeRows: 5 })
    expect(await readCheckpoint(path)).toMatchObject({ ...SOME, safeRows: 5 })
    expect(readdirSync(folder)).toEqual(['cp'])
  })

  test('is not there at first', async () => {
    expect(await readCheckpoint(path)).toBeNull()
  })

  test.each([
    ...['', '{', '[]', '{"kind":"headrace output checkpoint","version":"1"}', '{"safeRows":1}'],
    ...[
      ...[{ safeBytes: -1 }, { input: undefined }, { topic: 7 }, { format: 'xml' }, { names: null }, { names: [1] }],
      ...[{ headBytes: -1 }, { headBytes: 1e12 }, { tailBytes: 0.5 }, { tailBytes: 1e12 }, { headSha256: 1 }].map(
        (wrong) => ({ input: { ...NO_INPUT, ...wrong } }),
      ),
    ].map((wrong) => JSON.stringify({ kind: 'headrace output checkpoint', version: 1, ...SOME, ...wrong })),
  ])('%j is none', async (text) => {
    writeFileSync(path, text)
    await expect(readCheckpoint(path)).rejects.toThrow(`${path} is not a checkpoint of headrace output`)
  })

  test('of a headrace to come is known as that', async () => {
    writeFileSync(path, '{"kind":"headrace output checkpoint","version":2}')
    const sentence = `--checkpoint: ${path} was written by a newer headrace (its version is 2, this one reads 1)`
    await expect(readCheckpoint(path)).rejects.toThrow(sentence)
  })

  test('that is a folder is named', async () => {
    await expect(readCheckpoint(folder)).rejects.toThrow(`cannot read ${folder}: it is a directory`)
  })

  test('that cannot be written says so, and leaves the old one', async () => {
    const nowhere = join(folder, 'no', 'cp')
    await expect(writeCheckpoint(nowhere, SOME)).rejects.toThrow(`cannot write ${nowhere}: there is no such file`)
  })
})

describe('the input', () => {
  const input = (): string => join(folder, 'in')
  const rows = (count: number): string => Array.from({ length: count }, (_, i) => `{"a":${i}}\n`).join('')

  test('is the same with more at its end', async () => {
    writeFileSync(input(), rows(20_000))
    const before = await identityOf(input(), 150_000)
    writeFileSync(input(), rows(30_000))
    expect(await whyAnotherInput(input(), before, 150_000)).toBeNull()
  })

  test('is another if what was read is not there any more', async () => {
    writeFileSync(input(), rows(20_000))
    const before = await identityOf(input(), 150_000)
    const bytes = readFileSync(input())
    writeFileSync(input(), bytes.subarray(0, 1000))
    expect(await whyAnotherInput(input(), before, 150_000)).toBe('it has 1000 bytes, of which 150000 were read')
    const begins = Buffer.from(bytes)
    begins[5] = 0x39
    writeFileSync(input(), begins)
    expect(await whyAnotherInput(input(), before, 150_000)).toBe('it begins differently')
    const differs = Buffer.from(bytes)
    differs[149_990] = 0x39
    writeFileSync(input(), differs)
    expect(await whyAnotherInput(input(), before, 150_000)).toMatch(/^it differs before byte 150000/)
  })
})

test('an input that has become shorter has no place in a checkpoint', async () => {
  writeFileSync(path, 'x'.repeat(99))
  await expect(identityOf(path, 100)).rejects.toThrow(
    `${path} has become shorter while it was read: it has 99 bytes, of which 100 were read`,
  )
})

describe('the lock', () => {
  test('is held once, and again when it was let go of', async () => {
    const release = await lockCheckpoint(path)
    await expect(lockCheckpoint(path)).rejects.toThrow(`${path} is in use by process ${process.pid}`)
    await release()
    await (
      await lockCheckpoint(path)
    )()
    expect(readdirSync(folder)).toEqual([])
  })

  test('of a dead process is taken over', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => child.on('close', resolve))
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: child.pid, host: hostname(), began: '1' }))
    const release = await lockCheckpoint(path)
    await release()
    expect(readdirSync(folder)).toEqual([])
  })

  test('of a process number that somebody else has by now is taken over', async () => {
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: process.pid, host: hostname(), began: '1' }))
    const taken = lockCheckpoint(path)
    if (process.platform === 'linux') await (await taken)()
    else await expect(taken).rejects.toThrow('is in use')
  })

  test('of another machine is believed', async () => {
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: 1, host: 'elsewhere', began: '1' }))
    const sentence = `${path} is in use by process 1 on elsewhere; if it is dead, remove ${path}.lock`
    await expect(lockCheckpoint(path)).rejects.toThrow(sentence)
  })

  test.each(['my diary', ''])('that is none of ours is left alone, and what to do is said: %j', async (text) => {
    writeFileSync(`${path}.lock`, text)
    await expect(lockCheckpoint(path)).rejects.toThrow(
      `${path}.lock is not a lock of headrace; if no headrace works with ${path}, remove it`,
    )
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe(text)
  })

  const dead = JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), began: '1' })

  test('of many that come at once one has it, in 300 tries', async () => {
    for (let round = 0; round < 300; round++) {
      writeFileSync(`${path}.lock`, dead)
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockCheckpoint(path)))
      const holders = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      expect(holders, `try ${round}`).toHaveLength(1)
      await holders[0]?.()
      expect(readdirSync(folder)).toEqual([])
    }
  })

  test('that a process was taking over when it died is taken over', async () => {
    for (const name of ['', '.takeover', '.takeover.takeover']) writeFileSync(`${path}.lock${name}`, dead)
    const release = await lockCheckpoint(path)
    expect(readdirSync(folder)).toEqual(['cp.lock'])
    await release()
  })
})

const end = (n: number): Position => ({ bytes: n * 10, lines: n, rows: n })
const good = (n: number): InputRow => ({ line: n, endByte: n * 10, result: new Row(['a'], [BigInt(n)]) })
const bad = (n: number): InputRow => ({ line: n, endByte: n * 10, result: { code: 'INVALID_JSON', message: 'no' } })

function feedOf(input: readonly InputRow[], more: Partial<RowFeedOptions> = {}): RowFeed {
  async function* source(): AsyncGenerator<InputRow> {
    for (const row of input) yield await Promise.resolve(row)
  }
  const onFault = (): boolean => true
  return new RowFeed({ source: source(), start: AT_THE_BEGINNING, windowRows: Infinity, onFault, ...more })
}

describe('what is safe', () => {
  test('ends behind the row, and at the end of the input behind what could not be read', async () => {
    const feed = feedOf([bad(1), good(2), bad(3), good(4), bad(5)])
    const iterator = feed.rows()
    await iterator.next()
    expect(feed.positionAfter(0)).toEqual(end(0))
    await iterator.next()
    expect(feed.positionAfter(1)).toEqual(end(2))
    expect((await iterator.next()).done).toBe(true)
    expect(feed.positionAfter(1)).toEqual(end(2))
    expect(feed.positionAfter(2)).toEqual(end(5))
    expect(feed.faults).toBe(3)
  })

  test('ends before a row at the end of the input that may not be whole yet', async () => {
    const cut = (n: number): InputRow => ({ ...bad(n), result: { code: 'INVALID_JSON', message: 'no', isCut: true } })
    const feed = feedOf([good(1), bad(2), cut(3)])
    for await (const row of feed.rows()) expect(row.values).toEqual([1n])
    expect([feed.positionAfter(1), feed.read, feed.faults]).toEqual([end(2), end(3), 2])
  })

  test('of a hundred thousand rows, in any steps', async () => {
    const feed = feedOf(Array.from({ length: 100_000 }, (_, i) => good(i + 1)))
    let given = 0
    for await (const row of feed.rows()) {
      given++
      expect(row.values[0]).toBe(BigInt(given))
      if (given % 777 === 0) expect(feed.positionAfter(given - 300)).toEqual(end(given - 300))
    }
    expect(feed.positionAfter(given)).toEqual(end(100_000))
  })

  test('the window is full until the checkpoint moves', async () => {
    const feed = feedOf([good(1), good(2), good(3)], { windowRows: 2 })
    const iterator = feed.rows()
    await iterator.next()
    await iterator.next()
    const third = iterator.next()
    const order: string[] = []
    void third.then(() => order.push('third'))
    for (let i = 0; i < 20; i++) await Promise.resolve()
    order.push('kept')
    feed.keep(1)
    expect((await third).value?.values[0]).toBe(3n)
    expect(order).toEqual(['kept', 'third'])
  })

  test('a fault that ends the reading is where the next run begins', async () => {
    const feed = feedOf([good(1), bad(2), good(3)], { onFault: () => false })
    const rows: Row[] = []
    for await (const row of feed.rows()) rows.push(row)
    expect(rows).toHaveLength(1)
    expect(feed.positionAfter(1)).toEqual(end(1))
    expect(feed.hasEnded).toBe(false)
  })
})

describe('writing it', () => {
  const open = (more: { onKept?: (rows: number) => void; onError?: (error: unknown) => void } = {}): Checkpointer => {
    writeFileSync(join(folder, 'in'), 'x'.repeat(1000))
    return new Checkpointer({
      ...{ path, inputPath: join(folder, 'in'), windowRows: 7 },
      describe: () => ({ topic: 't', format: 'json', names: null }),
      onKept: more.onKept ?? (() => undefined),
      onError: more.onError ?? ((error) => expect.fail(String(error))),
    })
  }

  test('the latest position is on the disk before the window moves', async () => {
    const seen: unknown[] = []
    const checkpointer = open({
      onKept: (rows) => {
        const { safeRows, windowRows } = JSON.parse(readFileSync(path, 'utf8')) as Checkpoint
        seen.push([rows, safeRows, windowRows])
      },
    })
    for (let i = 1; i <= 50; i++) checkpointer.move(i, end(i))
    await vi.waitUntil(() => seen.length === 2)
    await checkpointer.finish(60, end(60), 0)
    expect(seen).toEqual([
      [1, 1, 7],
      [50, 50, 7],
      [60, 60, 0],
    ])
  })

  test('a disk that fails is told once, and nothing is kept from then on', async () => {
    const errors: unknown[] = []
    const checkpointer = open({ onKept: () => expect.fail('nothing is kept'), onError: (error) => errors.push(error) })
    rmSync(join(folder, 'in'))
    checkpointer.move(1, end(1))
    await checkpointer.finish(2, end(2), 0)
    expect(errors).toHaveLength(1)
  })
})
