/** Segment's own `@segment/analytics-node` 3.1.0, unmodified. */
import { brokersAvailable, type Availability } from '../../support/kafka/available.ts'
import { installPackages } from '../../support/npm-packages.ts'

/** What of the client is used here. */
export interface Analytics {
  track(
    event: { readonly userId: string; readonly event: string; readonly properties?: object },
    done?: (error: unknown, context: { readonly event: { readonly messageId: string } }) => void,
  ): void
  on(name: 'error', listener: (error: { readonly code: string; readonly reason?: unknown }) => void): void
  on(name: 'http_request', listener: (request: { readonly headers: Record<string, string> }) => void): void
  closeAndFlush(options?: { readonly timeout?: number }): Promise<void>
}

export interface AnalyticsSettings {
  readonly writeKey: string
  readonly host: string
  readonly flushAt?: number
  readonly flushInterval?: number
}

type AnalyticsClass = new (settings: AnalyticsSettings) => Analytics

let found: AnalyticsClass | null = null

/** Whether it and a broker can run here; fetches the client where that was not done before. */
export async function segmentClientAvailable(): Promise<Availability> {
  const brokers = await brokersAvailable()
  if (!brokers.ok) return brokers
  const { availability, load } = await installPackages({
    name: 'segment-node',
    folder: new URL('./', import.meta.url),
  })
  if (load !== null) found = (load('@segment/analytics-node') as { readonly Analytics: AnalyticsClass }).Analytics
  return availability
}

export function newAnalytics(settings: AnalyticsSettings): Analytics {
  if (found === null) throw new Error('not available')
  return new found(settings)
}
