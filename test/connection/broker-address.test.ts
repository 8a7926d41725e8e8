import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAddress, parseBrokers } from '../../src/connection/broker-address.ts'

function problemOf(value: unknown): string {
  const parsed = parseBrokers(value)
  return 'problem' in parsed ? parsed.problem : 'no problem'
}

function addressesOf(value: unknown): string[] {
  const parsed = parseBrokers(value)
  return 'addresses' in parsed ? parsed.addresses.map(formatAddress) : []
}

describe('parseBrokers', () => {
  it.each([
    ['localhost:9092', ['localhost:9092']],
    [' a:1 , b:2 ,', ['a:1', 'b:2']],
    [
      ['a:1', 'b:2,c:3'],
      ['a:1', 'b:2', 'c:3'],
    ],
    ['a:1,a:1', ['a:1']],
    ['[::1]:9092', ['[::1]:9092']],
    ['[fe80::1%eth0]:1', ['[fe80::1%eth0]:1']],
    ['b-1.kafka.example.com:65535', ['b-1.kafka.example.com:65535']],
  ])('reads %j', (given, expected) => {
    expect(addressesOf(given)).toEqual(expected)
  })

  it.each([
    ['', 'no address given; expected host:port, such as localhost:9092'],
    [[], 'no address given; expected host:port, such as localhost:9092'],
    [5, 'expected host:port, or a list of host:port'],
    [['a:1', null], 'expected host:port, or a list of host:port'],
    ['localhost', '"localhost" has no port; write localhost:9092 or whatever the port is'],
    ['localhost:', '"localhost:" has no port; write localhost:9092 or whatever the port is'],
    ['kafka://a:1', '"kafka://a:1" has a scheme; write host:port without it'],
    ['::1:9092', '"::1:9092" is not host:port; an IPv6 address goes in brackets, such as [::1]:9092'],
    ['a:0', '"a:0": port 0 is not a number from 1 to 65535'],
    ['a:65536', '"a:65536": port 65536 is not a number from 1 to 65535'],
    ['a:9o92', '"a:9o92": port 9o92 is not a number from 1 to 65535'],
    ['user@a:1', 'an address holds an @: users and passwords go into sasl; write host:port'],
    ['a b:1', '"a b:1": "a b" is not a host name'],
  ])('says what is wrong with %j', (given, problem) => {
    expect(problemOf(given)).toBe(problem)
  })

  it('reads what formatAddress writes', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
    const address = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) }, { noNullPrototype: true })
    fc.assert(
      fc.property(fc.uniqueArray(address, { minLength: 1, selector: formatAddress }), (addresses) => {
        expect(parseBrokers(addresses.map(formatAddress).join(','))).toEqual({ addresses })
        expect(parseBrokers(addresses.map(formatAddress))).toEqual({ addresses })
      }),
    )
  })

  it('answers any text with addresses or a problem, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.array(fc.anything())), (value) => {
        const parsed = parseBrokers(value)
        if ('problem' in parsed) expect(parsed.problem).toMatch(/\S/)
        else for (const { port } of parsed.addresses) expect(port).toBeGreaterThan(0)
      }),
    )
  })
})
