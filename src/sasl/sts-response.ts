/**
 * What STS answers, read by as little XML as it takes: elements with text, no entities but the five, no DOCTYPE, CDATA or
 * comments, and attributes are skipped. Everything else is null; nothing throws.
 *
 * Source: AssumeRole in the AWS Security Token Service API reference.
 */

const TAG = /<(\/?)([A-Za-z][\w.]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y
const DECLARATION = /^\ufeff?\s*<\?xml [^<>]*\?>/
const MAX_DEPTH = 8
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The text of each element without children, by its path, `AssumeRoleResponse/AssumeRoleResult/...`; null: no such XML. */
export function readLeaves(xml: string): ReadonlyMap<string, string> | null {
  const leaves = new Map<string, string>()
  const open: string[] = []
  let text = ''
  let hasChild = true
  let isDone = false
  const body = xml.replace(DECLARATION, '').trim()
  TAG.lastIndex = 0
  for (let at = 0; at < body.length; at = TAG.lastIndex) {
    const match = TAG.exec(body)
    if (match === null || isDone) return null
    const [, slash, name = '', , selfClosing, characters] = match
    if (characters !== undefined) {
      const plain = unescaped(characters)
      if (plain === null) return null
      text = plain
    } else if (slash === '') {
      if (text.trim() !== '' || open.length >= MAX_DEPTH) return null
      if (selfClosing !== '/') open.push(name)
      else if (open.length === 0) return null
      hasChild = selfClosing === '/'
      text = ''
    } else {
      const path = open.join('/')
      if (open.pop() !== name || (hasChild && text.trim() !== '') || (!hasChild && leaves.has(path))) return null
      if (!hasChild) leaves.set(path, text)
      hasChild = true
      text = ''
      isDone = open.length === 0
    }
  }
  return isDone ? leaves : null
}

function unescaped(text: string): string | null {
  const isKnown = [...text.matchAll(/&(\w*;?)/g)].every(
    ([, name = '']) => name.endsWith(';') && Object.hasOwn(ENTITIES, name.slice(0, -1)),
  )
  return isKnown ? text.replaceAll(/&(\w+);/g, (_, name: string) => ENTITIES[name] ?? '') : null
}

export interface AssumedRole {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: string
}

/** Null: it is no answer to AssumeRole. */
export function readAssumedRole(xml: string): AssumedRole | null {
  const leaves = readLeaves(xml)
  const field = (name: string): string => leaves?.get(`AssumeRoleResponse/AssumeRoleResult/Credentials/${name}`) ?? ''
  const role = {
    accessKeyId: field('AccessKeyId'),
    secretAccessKey: field('SecretAccessKey'),
    sessionToken: field('SessionToken'),
    expiration: field('Expiration'),
  }
  return Object.values(role).includes('') || Number.isNaN(Date.parse(role.expiration)) ? null : role
}

/** Untrusted, as it came; empty where nothing was said. */
export function readStsError(xml: string): { readonly code: string; readonly message: string } {
  const leaves = readLeaves(xml)
  const field = (name: string): string => leaves?.get(`ErrorResponse/Error/${name}`) ?? ''
  return { code: field('Code'), message: field('Message') }
}
