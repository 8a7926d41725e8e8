/**
 * Calls a function of somebody else's whose outcome is its own affair: what it throws, or what the promise that it gives
 * rejects with, must end neither a write nor the process.
 */
export function callUnheeded(call: () => unknown): void {
  try {
    const outcome = call()
    if (typeof outcome === 'object' && outcome !== null) Promise.resolve(outcome).catch(nothing)
  } catch {
    // It has nobody to tell; rows go on.
  }
}

function nothing(): void {
  return undefined
}
