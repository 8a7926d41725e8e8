import { describe, expect, it } from 'vitest'
import type { Job } from '../../bench/compare/job.ts'
import { ContenderFailed, runContender } from '../../bench/compare/run-contender.ts'

const job = { topic: 'orders', warmMs: 1, measureMs: 1 } as Job

function run(program: string): Promise<unknown> {
  return runContender({ program: process.execPath, args: ['-e', program], runtime: 'Node' }, job)
}

describe('runContender', () => {
  it('gives the job on stdin, and takes the last line for the answer', async () => {
    const echo =
      "process.stdin.on('data', (job) => console.log(`a library greets\\n${JSON.stringify({ records: 7, got: JSON.parse(job).topic })}`))"
    expect(await run(echo)).toEqual({ records: 7, got: 'orders' })
  })

  it('fails with what the contender says of itself', async () => {
    const failed = run("console.log(JSON.stringify({ error: 'BUFFER_FULL' })); process.exitCode = 1")
    await expect(failed).rejects.toThrow(new ContenderFailed('ended with 1: BUFFER_FULL'))
  })

  it.each([
    ['dies', "console.error('segmentation fault'); process.exit(3)", /ended with 3: segmentation fault/],
    ['is killed', "process.kill(process.pid, 'SIGKILL')", /SIGKILL, after \d+ ms at most: it said nothing/],
    ['answers half a line', 'process.stdout.write(\'{"records":\')', /ended with 0/],
    ['answers, and then dies', 'console.log(\'{"records":7}\'); process.exitCode = 1', /ended with 1/],
    ['says nothing', '', /ended with 0: it said nothing/],
  ])('fails when it %s', async (_how, program, message) => {
    await expect(run(program)).rejects.toThrow(message)
  })
})
