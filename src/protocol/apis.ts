import { ProtocolError } from '../errors.ts'
import { apiVersions } from './messages/api-versions.ts'
import { metadata } from './messages/metadata.ts'
import { produce } from './messages/produce.ts'
import type { Api } from './schema.ts'

/** Every API that headrace speaks. */
export const apis = [produce, metadata, apiVersions] as const

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
