import { saslAuthenticate } from '../protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../protocol/messages/sasl-handshake.ts'
import { apiHandler, type ClusterContext, type Reply } from './api-handler.ts'
import type { Faults } from './faults.ts'
import { NOTHING } from './sasl/server-exchange.ts'
import type { Session, TokenAnswer } from './sasl/session.ts'

export const handleSaslHandshake = apiHandler(saslHandshake, {
  mentions: () => [],
  handle({ mechanism }, { session, faults, version }) {
    if (faults.errorCode === 0) return session.shake(mechanism, version)
    session.fail()
    return { errorCode: faults.errorCode, mechanisms: [] }
  },
})

export const handleSaslAuthenticate = apiHandler(saslAuthenticate, {
  mentions: () => [],
  handle: ({ authBytes }, { session, faults }) => answerTo(authBytes, session, faults),
})

/**
 * A token that came as it is, after SaslHandshake v0: four bytes of length and the token, both ways. Who does not get in
 * hears nothing (KIP-152 changed that).
 */
export function answerRawToken(token: Buffer, nodeId: number, session: Session, cluster: ClusterContext): Reply {
  const faults = cluster.faults.take('SaslAuthenticate', nodeId, [])
  if (faults.effect('closeBefore') === true) return { answer: 'close', faults }
  const said = answerTo(token, session, faults)
  if (said === 'close' || said.errorCode !== 0) return { answer: 'close', faults }
  const length = Buffer.alloc(4)
  length.writeInt32BE(said.authBytes.length)
  return { answer: [length, said.authBytes], faults }
}

function answerTo(token: Uint8Array, session: Session, faults: Faults): TokenAnswer | 'close' {
  if (faults.errorCode !== 0) {
    session.fail()
    const errorMessage = faults.effect('errorMessage') ?? ''
    return { errorCode: faults.errorCode, errorMessage, authBytes: NOTHING, sessionLifetimeMs: 0n }
  }
  const said = session.take(Buffer.from(token))
  const scripted = faults.effect('authBytes')
  if (scripted === undefined || said === 'close') return said
  const authBytes = typeof scripted === 'function' ? scripted(Buffer.from(said.authBytes)) : scripted
  return { ...said, authBytes: Buffer.from(authBytes) }
}
