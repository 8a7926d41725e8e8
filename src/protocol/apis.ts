import { ProtocolError } from '../errors.ts'
import { addOffsetsToTxn } from './messages/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from './messages/add-partitions-to-txn.ts'
import { apiVersions } from './messages/api-versions.ts'
import { createTopics } from './messages/create-topics.ts'
import { describeCluster } from './messages/describe-cluster.ts'
import { describeConfigs } from './messages/describe-configs.ts'
import { endTxn } from './messages/end-txn.ts'
import { findCoordinator } from './messages/find-coordinator.ts'
import { initProducerId } from './messages/init-producer-id.ts'
import { metadata } from './messages/metadata.ts'
import { produce } from './messages/produce.ts'
import { saslAuthenticate } from './messages/sasl-authenticate.ts'
import { saslHandshake } from './messages/sasl-handshake.ts'
import { txnOffsetCommit } from './messages/txn-offset-commit.ts'
import type { Api, Field, Infer, Input } from './schema.ts'

/** In scope, the types of this file name them; otherwise each of 650 places says where they are from. */
export type { Field, Infer, Input }

/** Every API that headrace speaks, by key. */
export const apis = [
  produce, // 0
  metadata, // 3
  findCoordinator, // 10
  saslHandshake, // 17
  apiVersions, // 18
  createTopics, // 19
  initProducerId, // 22
  addPartitionsToTxn, // 24
  addOffsetsToTxn, // 25
  endTxn, // 26
  txnOffsetCommit, // 28
  describeConfigs, // 32
  saslAuthenticate, // 36
  describeCluster, // 60
] as const

type Apis = { readonly [A in (typeof apis)[number] as A['name']]: A }
export type ApiName = keyof Apis

/** The definition that goes by a name. */
export type ApiNamed<Name extends ApiName> = Apis[Name]

const byName = new Map<string, Api>(apis.map((api) => [api.name, api]))
const byKey = new Map<number, Api>(apis.map((api) => [api.key, api]))

/** @throws {ProtocolError} `UNSUPPORTED_VERSION`: a name that is none of `ApiName`, as untyped callers can have. */
export function apiNamed<Name extends ApiName>(name: Name): ApiNamed<Name> {
  const api = byName.get(name)
  if (api) return api as ApiNamed<Name>
  throw new ProtocolError('UNSUPPORTED_VERSION', `${name}: UNSUPPORTED_VERSION: headrace does not speak this API`)
}

/** The API with this key, if headrace speaks it. */
export function apiOfKey(key: number): Api | undefined {
  return byKey.get(key)
}
