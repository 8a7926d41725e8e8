import { BlockList, isIP } from 'node:net'

/**
 * What a mechanism needs of its connection: `secret`: it sends the password or token itself, so it wants TLS, a loopback
 * address, or the user's word; `tls`: AWS's brokers speak nothing else; `none`: it gives nothing away.
 */
export type Exposure = 'none' | 'secret' | 'tls'

export interface Link {
  readonly isTls: boolean
  /** The resolved address of the peer, never its name. */
  readonly remoteAddress: string
  readonly allowPlaintextCredentials: boolean
}

/** Why the credentials must not go over this connection; null: they may. */
export function plaintextProblem(mechanism: string, exposure: Exposure, link: Link): string | null {
  if (exposure === 'none' || link.isTls) return null
  if (exposure === 'tls') return `${mechanism} is never used without TLS: set tls`
  if (link.allowPlaintextCredentials || isLoopback(link.remoteAddress)) return null
  return `${mechanism} would send its secret readable by everybody on the way: set tls, or allowPlaintextCredentials if this network is safe`
}

/** An address, not a name: `localhost` can be made to lead anywhere. */
export function isLoopback(address: string): boolean {
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
