/**
 * Finds a member of a JSON object in its text, so that a number becomes a key digit by digit (`12345678901234567890`,
 * `1.50`) and not as JavaScript would print it after rounding. The text must be valid JSON.
 *
 * @returns the text of the value, or `null` if there is no such member. Of members with the same name the last counts.
 */
export function memberText(json: string, path: readonly string[]): string | null {
  let at = skipBlank(json, 0)
  let end = json.length
  for (const name of path) {
    const span = json[at] === '{' ? findMember(json, at, name) : null
    if (span === null) return null
    ;[at, end] = span
  }
  return json.slice(at, end).trimEnd()
}

/** @returns where the value of member `name` begins and ends. */
function findMember(json: string, open: number, name: string): [number, number] | null {
  let found: [number, number] | null = null
  let at = skipBlank(json, open + 1)
  while (json[at] === '"') {
    const nameEnd = skipString(json, at)
    const isIt = JSON.parse(json.slice(at, nameEnd)) === name
    const valueAt = skipBlank(json, skipBlank(json, nameEnd) + 1)
    const valueEnd = skipValue(json, valueAt)
    if (isIt) found = [valueAt, valueEnd]
    at = skipBlank(json, valueEnd)
    if (json[at] === ',') at = skipBlank(json, at + 1)
  }
  return found
}

function skipBlank(json: string, from: number): number {
  let at = from
  while (at < json.length && ' \t\n\r'.includes(json[at] ?? '')) at++
  return at
}

/** From the opening quote to behind the closing one. */
function skipString(json: string, from: number): number {
  let at = from + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}

/** To behind the value that begins here. */
function skipValue(json: string, from: number): number {
  let depth = 0
  let at = from
  while (at < json.length) {
    const char = json[at] ?? ''
    if (char === '"') {
      at = skipString(json, at)
      continue
    }
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      if (depth === 0) return at
      depth--
    } else if (char === ',' && depth === 0) return at
    at++
  }
  return at
}
