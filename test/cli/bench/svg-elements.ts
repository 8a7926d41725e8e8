import { expect } from 'vitest'

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

/** What a strict reader of XML finds in a plot: it must be well-formed. */
export interface SvgElements {
  readonly text: string
  readonly names: readonly string[]
  readonly texts: readonly string[]
  /** Of what is drawn: colour and path. */
  readonly lines: readonly (readonly [stroke: string, path: string])[]
}

export function elementsOf(svg: string): SvgElements {
  const [names, texts, open]: [string[], string[], string[]] = [[], [], []]
  const lines: [string, string][] = []
  const tokens = svg.matchAll(/<(\/?)([a-z]+)((?: [\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)>|([^<]+)/g)
  let end = 0
  for (const { 0: token, 1: slash, 2: name = '', 3: attributes = '', 4: text, index } of tokens) {
    expect(index).toBe(end)
    end = index + token.length
    if (text !== undefined) {
      expect(text).not.toMatch(/&(?!(amp|lt|gt|quot);)/)
      if (text.trim() !== '') texts.push(text.replaceAll(/&(\w+);/g, (_, entity: string) => ENTITIES[entity] ?? '?'))
    } else if (slash === '/') {
      expect(open.pop()).toBe(name)
    } else {
      open.push(name)
      names.push(name)
      const [, path = ''] = / d="([^"]*)"/.exec(attributes) ?? []
      const [, stroke = ''] = / stroke="([^"]*)"/.exec(attributes) ?? []
      if (attributes.includes('fill="none"')) lines.push([stroke, path])
    }
  }
  expect([end, open]).toEqual([svg.length, []])
  // What XML does not take.
  expect(svg).not.toMatch(/[\0-\x08\v\f\x0e-\x1f\ufffe\uffff]/)
  return { text: svg, names, texts, lines }
}
