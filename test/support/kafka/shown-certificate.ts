import { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { hostAndPort } from './probe.ts'

const SETTLE_TIMEOUT_MS = 30_000
const ASK_PAUSE_MS = 20

/** Each network thread of a broker (three by default) changes by itself, and takes connections in turn. */
const TIMES_IN_A_ROW = 8

/** Waits until the TLS listener at `host:port` shows this certificate (of a chain: with its issuers behind it). */
export async function awaitCertificate(address: string, chain: string): Promise<void> {
  const expected = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const wanted = expected.map((cert) => new X509Certificate(cert).fingerprint256).join()
  const deadline = Date.now() + SETTLE_TIMEOUT_MS
  for (let seen = 0; seen < TIMES_IN_A_ROW;) {
    if (Date.now() > deadline) throw new Error(`${address} does not show the certificate that it was given`)
    seen = (await shownChain(address)) === wanted ? seen + 1 : 0
    if (seen === 0) await delay(ASK_PAUSE_MS)
  }
}

/** The fingerprints of what is shown, the server's own first. */
function shownChain(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...hostAndPort(address), rejectUnauthorized: false }, () => {
      const fingerprints: string[] = []
      let shown = socket.getPeerX509Certificate()
      while (shown !== undefined) {
        fingerprints.push(shown.fingerprint256)
        shown = shown.issuerCertificate
      }
      socket.destroy()
      resolve(fingerprints.join())
    })
    socket.once('error', reject)
  })
}
