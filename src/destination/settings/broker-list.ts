import { isIPv6 } from 'node:net'

/** The brokers of a form: `host:port`, with commas, spaces where people put them, IPv6 in brackets. */
export interface BrokerItem {
  /** As it was written, without the spaces around it. */
  readonly text: string
  readonly host: string
}

/** The items; what stands between two commas with nothing in it does not count. */
export function brokerTexts(list: string): string[] {
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/**
 * Reads a list, or says what is wrong with the first item that is. Nothing of it is repeated: people paste passwords into
 * wrong fields.
 *
 * Stricter than Segment's, which lets `h:9092:77`, `h:0x10` and `h: 9092` pass; port 0 it takes, and so does this.
 */
export function parseBrokerList(list: string): readonly BrokerItem[] | { readonly detail: string } {
  const texts = brokerTexts(list)
  if (texts.length === 0) return { detail: 'there is none; write host:port, such as kafka.example.com:9092' }
  const items: BrokerItem[] = []
  for (const [i, text] of texts.entries()) {
    const item = parseItem(text)
    if (typeof item === 'string') return { detail: `item ${i + 1} of ${texts.length} ${item}` }
    items.push(item)
  }
  return items
}

function parseItem(text: string): BrokerItem | string {
  if (text.includes('://')) return 'has a scheme; write host:port without it'
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/s.exec(text)
  if (match === null) return 'is not host:port; an IPv6 address goes in brackets, such as [::1]:9092'
  const [, address, name, port] = match
  if (address !== undefined && !isIPv6(address)) return 'has something in its brackets that is no IPv6 address'
  const host = address ?? name ?? ''
  if (host === '') return 'has no host'
  if (/[\s/\\@?#\p{Cc}]/u.test(host)) return 'has a character that is in no host name'
  if (port === undefined || port === '') return 'has no port'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) return 'has a port that is not a number from 0 to 65535'
  return { text, host }
}
