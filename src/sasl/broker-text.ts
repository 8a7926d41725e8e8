/** Longer texts of a broker are cut off here. */
const MAX_CHARACTERS = 256
/** Shorter secrets are not looked for: what is left of the text would give them away. */
const MIN_SECRET_CHARACTERS = 4

/**
 * What a broker, or anybody else at the other end, says, made fit for an error message: one line, no control or
 * invisible characters, at most 256 characters, and none of our secrets in it, for it may repeat what we sent.
 */
export function brokerText(text: string, secrets: readonly string[] = []): string {
  // Before and after: a secret may hold control characters, and control characters may hide a secret.
  const line = redact(text, secrets).replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
  const plain = redact(line, secrets).trim()
  return plain.length > MAX_CHARACTERS
    ? `${plain.slice(0, MAX_CHARACTERS - 3).replace(/[\ud800-\udbff]$/, '')}...`
    : plain
}

function redact(text: string, secrets: readonly string[]): string {
  let redacted = text
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_CHARACTERS) continue
    for (const form of formsOf(secret)) redacted = redacted.replaceAll(form, '[redacted]')
  }
  return redacted
}

/** A secret as it is, and as programs write it. */
function formsOf(secret: string): Set<string> {
  const bytes = Buffer.from(secret)
  const forms = [secret, bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')]
  return new Set([...forms, encodeURIComponent(bytes.toString()), Array.from(secret).reverse().join('')])
}
