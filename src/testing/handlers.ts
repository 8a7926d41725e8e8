import type { ApiHandler } from './api-handler.ts'
import { handleApiVersions } from './handle-api-versions.ts'
import { handleInitProducerId } from './handle-init-producer-id.ts'
import { handleMetadata } from './handle-metadata.ts'
import { handleProduce } from './handle-produce.ts'
import { handleSaslAuthenticate, handleSaslHandshake } from './handle-sasl.ts'
import type { ServedApi } from './served-apis.ts'

/** What each API does. */
export const handlers: Readonly<Record<ServedApi, ApiHandler>> = {
  ApiVersions: handleApiVersions,
  InitProducerId: handleInitProducerId,
  Metadata: handleMetadata,
  Produce: handleProduce,
  SaslAuthenticate: handleSaslAuthenticate,
  SaslHandshake: handleSaslHandshake,
}
