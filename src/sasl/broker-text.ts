/** Longer texts of a broker are cut off here. */
const MAX_CHARACTERS = 256
/** Shorter secrets are not looked for: what is left of the text would give them away. */
const MIN_SECRET_CHARACTERS = 4

/**
 * What a broker, or anybody else at the other end, says, made fit for an error message: one line, no control or
 * invisible characters, at most 256 characters, and none of our secrets in it, for it may repeat what we sent.
 */
export function brokerText(text: string, secrets: readonly string[] = []): string {
  const forms = secrets.filter((secret) => secret.length >= MIN_SECRET_CHARACTERS).flatMap(formsOf)
  // Before and after: a secret may hold control characters, and control characters may hide a secret.
  const line = redact(text, forms).replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
  const plain = redact(line, forms).trim()
  return plain.length > MAX_CHARACTERS
    ? `${plain.slice(0, MAX_CHARACTERS - 3).replace(/[\ud800-\udbff]$/, '')}...`
    : plain
}

function redact(text: string, forms: readonly string[]): string {
  return forms.reduce((redacted, form) => redacted.replaceAll(form, '[redacted]'), text)
}

/** A secret as it is, and as programs write it: alone, or inside of something that was encoded as a whole. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const base64 = [0, 1, 2].flatMap((before) => [
    inBase64(bytes, before, 'base64'),
    inBase64(bytes, before, 'base64url'),
  ])
  const reversed = Array.from(secret).reverse().join('')
  // The longest first: with its padding base64 is longer than without.
  return [
    secret,
    bytes.toString('base64'),
    ...base64,
    hex,
    hex.toUpperCase(),
    encodeURIComponent(bytes.toString()),
    reversed,
  ]
}

/** The characters that depend on nothing but these bytes, if so many bytes stand before them (or three more, or six). */
function inBase64(bytes: Buffer, before: number, alphabet: 'base64' | 'base64url'): string {
  const all = Buffer.alloc(before + bytes.length)
  all.set(bytes, before)
  return all.toString(alphabet).slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6))
}
