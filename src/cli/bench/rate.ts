import { grouped } from '../numbers.ts'

/** From here on digits behind the point say nothing. */
const WHOLE_FROM = 10

/** Whole from 10 on, else hundredths: two records in five seconds are not none. */
export function roundedRate(perSecond: number): number {
  const hundredths = Number(perSecond.toFixed(2))
  return hundredths < WHOLE_FROM ? hundredths : Math.round(perSecond)
}

/** `0.4`, `1`, `812,000`. */
export function rateText(perSecond: number): string {
  const rounded = roundedRate(perSecond)
  return rounded < WHOLE_FROM ? String(rounded) : grouped(rounded)
}

/** `0.4 records/s`, `1 record/s`, `812,000 records/s`. */
export function recordRate(perSecond: number): string {
  const text = rateText(perSecond)
  return `${text} record${text === '1' ? '' : 's'}/s`
}
