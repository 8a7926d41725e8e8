/** A trigger as a tree: what `parseTrigger` gives, `matchesTrigger` evaluates and `printTrigger` writes. Plain data. */

export const textSubjects = ['type', 'event', 'name', 'userId'] as const
export const pathSubjects = ['properties', 'traits', 'context'] as const
export type SubjectRoot = (typeof textSubjects)[number] | (typeof pathSubjects)[number]

/** What of the event is looked at. `path` is empty for `type`, `event`, `name` and `userId`, and never for the others. */
export interface Subject {
  readonly root: SubjectRoot
  readonly path: readonly string[]
}

export type Ordering = '<' | '<=' | '>' | '>='
export type TextTest = 'contains' | 'startsWith' | 'endsWith'

export type Trigger =
  | { readonly kind: 'and' | 'or'; readonly children: readonly Trigger[] }
  | { readonly kind: 'not'; readonly child: Trigger }
  | {
      readonly kind: 'equals'
      readonly subject: Subject
      readonly isNegated: boolean
      readonly value: string | number | boolean | null
    }
  | { readonly kind: 'order'; readonly subject: Subject; readonly operator: Ordering; readonly value: number }
  | {
      readonly kind: 'text'
      readonly subject: Subject
      readonly test: TextTest
      readonly isNegated: boolean
      readonly value: string
    }

export function isTextSubject(root: SubjectRoot): boolean {
  return (textSubjects as readonly string[]).includes(root)
}
