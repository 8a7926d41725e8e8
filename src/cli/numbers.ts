/** 1234567 -> `1,234,567`, whatever the locale of the machine. */
export function grouped(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 record`, `2 records`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Decimal units, three digits: `999 B`, `1.23 kB`, `12.3 MB`. */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? String(value) : threeDigits(value)} ${UNITS[unit] ?? ''}`
}

/** `0.034 s`, `2.41 s`, `754 s`. */
export function seconds(value: number): string {
  return `${value < 1 ? value.toFixed(3) : threeDigits(value)} s`
}

/** `0.034 ms`, `2.41 ms`, `754 ms`, `12.3 s`. */
export function milliseconds(value: number): string {
  if (value >= 9999.5) return seconds(value / 1000)
  return `${value < 1 ? value.toFixed(3) : threeDigits(value)} ms`
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  return value.toFixed(value >= 9.995 ? 1 : 2)
}
