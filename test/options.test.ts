import { describe, expect, it } from 'vitest'
import { OptionError } from '../src/errors.ts'
import { bool, int, notYet, resolve, show, text } from '../src/options.ts'

const table = Object.freeze({
  lingerMs: int({ doc: '', min: 0, max: 10, default: 3 }),
  deadlineMs: int({ doc: '', min: 1, max: 100, default: 50, allowInfinity: true }),
  name: text({ doc: '', default: 'x' }),
  isOn: bool({ doc: '', default: false }),
  codec: notYet<'none'>({ doc: '', type: 'string', neutral: ['none'] }),
})
const context = {
  where: 'Thing',
  table,
  rules: [
    [
      (o: { lingerMs: number; deadlineMs: number }) => o.deadlineMs >= o.lingerMs,
      (o: { deadlineMs: number }) => `deadlineMs ${o.deadlineMs} is too short`,
    ] as const,
  ],
  foreignNames: { 'linger.ms': 'use lingerMs' },
}

function problem(input: unknown): OptionError {
  try {
    resolve(input, context)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('resolve', () => {
  it('fills in defaults, takes what is given, and leaves the input alone', () => {
    const input = Object.freeze({ lingerMs: 0, isOn: true, name: undefined })
    expect(resolve(input, context)).toEqual({ lingerMs: 0, deadlineMs: 50, name: 'x', isOn: true, codec: undefined })
  })

  it('takes Infinity only where it means something', () => {
    expect(resolve({ deadlineMs: Infinity }, context).deadlineMs).toBe(Infinity)
    expect(problem({ lingerMs: Infinity }).message).toContain('lingerMs: got Infinity, expected an integer, 0 to 10')
  })

  it.each([-1, 11, 1.5, NaN, '3', null, {}])('refuses %s as an integer from 0 to 10', (lingerMs) => {
    expect(problem({ lingerMs }).code).toBe('INVALID_OPTIONS')
  })

  it('names every problem at once, with the value and the limit', () => {
    const { message } = problem({ lingerMs: 11, nmae: 'y', isOn: 1 })
    expect(message).toBe(
      'Thing: INVALID_OPTIONS: nmae: unknown option: did you mean name?; lingerMs: got 11, expected an integer, 0 to 10; isOn: got 1, expected true or false',
    )
  })

  it('knows what other clients call it', () => {
    expect(problem({ 'linger.ms': 5 }).message).toContain('linger.ms: unknown option: use lingerMs')
  })

  it('refuses what does not go together', () => {
    expect(problem({ lingerMs: 9, deadlineMs: 8 }).message).toBe('Thing: INVALID_OPTIONS: deadlineMs 8 is too short')
  })

  it('says so where an option is of a later version, and takes the value that changes nothing', () => {
    expect(problem({ codec: 'gzip' })).toMatchObject({
      code: 'NOT_AVAILABLE_YET',
      message: 'Thing: NOT_AVAILABLE_YET: codec: not available in this version of headrace; only "none" can be given',
    })
    expect(resolve({ codec: 'none' }, context).codec).toBe('none')
  })

  it('reads own properties only: a polluted prototype changes nothing', () => {
    const input = Object.create({ lingerMs: 7 }) as object
    expect(resolve(input, context).lingerMs).toBe(3)
    expect(problem(JSON.parse('{"__proto__": {"lingerMs": 7}}')).message).toContain('__proto__: unknown option')
  })

  it.each([null, undefined, 'x', [], 5])('refuses %s instead of options', (input) => {
    expect(problem(input).message).toMatch(/^Thing: INVALID_OPTIONS: expected an options object, got /)
  })
})

describe('show', () => {
  it('keeps values short and the inside of objects out', () => {
    expect(show('x'.repeat(100))).toBe(`"${'x'.repeat(57)}"...`)
    expect(show({ password: 'secret' })).toBe('an object')
    expect(show([1, 2])).toBe('an array of 2')
    expect(show(new Map())).toBe('a Map')
    expect(show(Object.create(null))).toBe('an object')
    expect(show(5n)).toBe('5n')
  })
})
