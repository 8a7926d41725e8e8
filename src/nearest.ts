/** What somebody probably meant: for unknown option names and missing topics. */

/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours each cost 1. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const replaced = (previous[j - 1] ?? 0) + (isSame ? 0 : 1)
      const shifted = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : Infinity
      current.push(Math.min(replaced, shifted, swapped))
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

/**
 * The candidates that differ from `name` by at most a third of its length (and at least by up to 2), nearest first.
 * Case, `.`, `_` and `-` do not count, so that `batch.size`-like spellings find their way.
 */
export function nearestNames(name: string, candidates: Iterable<string>, limit = 1): string[] {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[._-]/g, '')
  const wanted = plain(name)
  const allowed = Math.max(2, Math.floor(wanted.length / 3))
  const found: { candidate: string; distance: number }[] = []
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > allowed + 2) continue
    const distance = editDistance(wanted, plain(candidate))
    if (distance <= allowed) found.push({ candidate, distance })
  }
  found.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
  return found.slice(0, limit).map(({ candidate }) => candidate)
}
