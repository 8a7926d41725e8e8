import { expect, it } from 'vitest'
import { errorByName } from '../../src/protocol/error-codes.ts'
import * as numbers from '../../src/protocol/error-numbers.ts'

it.each(Object.entries(numbers))('%s is %i in the table, too', (name, number) => {
  expect(errorByName(name)?.code).toBe(number)
})
