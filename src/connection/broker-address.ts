/** Bootstrap addresses as people write them: `host:port`, `[::1]:9092`, lists with commas, spaces in between. */

import { brokerText } from '../sasl/broker-text.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

const ORDINARY_HOST = /^[\x21-\x7e]{1,255}$/

/** `host:port`, IPv6 in brackets; fit for an error, although a broker may advertise any text as its host. */
export function formatAddress({ host, port }: BrokerAddress): string {
  const name = ORDINARY_HOST.test(host) ? host : brokerText(host)
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
}

export function isSameAddress(one: BrokerAddress, other: BrokerAddress): boolean {
  return one.port === other.port && one.host === other.host
}

/** What is wrong with a list of addresses, as a sentence; or the addresses. Doubles count once. */
export function parseBrokers(value: unknown): { addresses: BrokerAddress[] } | { problem: string } {
  const parts: string[] = []
  for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (typeof item !== 'string') return { problem: 'expected host:port, or a list of host:port' }
    parts.push(...item.split(',').map((part) => part.trim()))
  }
  const addresses = new Map<string, BrokerAddress>()
  for (const part of parts) {
    if (part === '') continue // a trailing comma
    const parsed = parseAddress(part)
    if (typeof parsed === 'string') return { problem: parsed }
    addresses.set(formatAddress(parsed), parsed)
  }
  if (addresses.size === 0) return { problem: 'no address given; expected host:port, such as localhost:9092' }
  return { addresses: [...addresses.values()] }
}

function parseAddress(text: string): BrokerAddress | string {
  if (text.includes('@')) return 'an address holds an @: users and passwords go into sasl; write host:port'
  const shown = JSON.stringify(text.slice(0, 120))
  if (text.includes('://')) return `${shown} has a scheme; write host:port without it`
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(.*))?$/.exec(text)
  if (match === null) {
    return text.includes(':') && !text.startsWith('[')
      ? `${shown} is not host:port; an IPv6 address goes in brackets, such as [::1]:9092`
      : `${shown} is not host:port`
  }
  const host = (match[1] ?? match[2] ?? '').trim()
  const portText = match[3]
  if (portText === undefined || portText === '')
    return `${shown} has no port; write ${host}:9092 or whatever the port is`
  const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : NaN
  if (!(port >= 1 && port <= 65_535)) return `${shown}: port ${portText.slice(0, 20)} is not a number from 1 to 65535`
  if (host === '' || /[\s/@]/.test(host)) return `${shown}: ${JSON.stringify(host)} is not a host name`
  return { host, port }
}
