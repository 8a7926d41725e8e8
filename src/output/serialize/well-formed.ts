/** UTF-8 has no bytes for half a surrogate pair: encoding would put U+FFFD in its place, silently. */
export function isWellFormed(text: string): boolean {
  // ES2024; Node has it from 20.0 on, the types of ES2023 do not.
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed()
}

export const NOT_WELL_FORMED = 'holds half of a surrogate pair, which UTF-8 cannot express'
