import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Fifo } from '../../src/producer/fifo.ts'
import { turns } from '../support/fake-clock.ts'

const numbered = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }))

describe('Fifo', () => {
  it('gives back what a plain array would, however it is used', () => {
    const fifo = new Fifo<{ n: number }>()
    const model: { n: number }[] = []
    let seed = 7
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    for (let step = 0; step < 20_000; step++) {
      const isGrowing = Math.floor(step / 4000) % 2 === 0
      if (random() < (isGrowing ? 0.8 : 0.3)) {
        const item = { n: step }
        fifo.push(item)
        model.push(item)
      } else if (random() < 0.001) expect(fifo.drain()).toEqual(model.splice(0))
      else expect(fifo.shift()).toBe(model.shift())
      expect(fifo.length).toBe(model.length)
      expect(fifo.first).toBe(model[0])
    }
    expect([...fifo]).toEqual(model)
  })

  it('P4: keeps nothing that was taken out', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const fifo = new Fifo<{ n: number }>()
    for (const item of numbered(10)) fifo.push(item)
    const taken = Array.from({ length: 9 }, () => new WeakRef(fifo.shift() as object))
    await turns(1) // a WeakRef keeps its target until the job that made it is done
    collect()
    expect(taken.filter((ref) => ref.deref() !== undefined)).toEqual([])
    expect(fifo.first).toEqual({ n: 9 })
  })
})
