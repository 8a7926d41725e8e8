import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { DeliveryResult, StatsClient } from '../../destination/destination.ts'

/** Those of Segment's destination, by Prometheus' rules for names. */
const DESTINATION_COUNTERS: Readonly<Record<string, string>> = {
  kafka_connection_opened: 'Producers that were opened.',
  kafka_connection_reused: 'Calls that found an open producer.',
  kafka_connection_closed: 'Producers that were closed.',
  kafka_disconnect_error: 'Producers that could not be closed in order.',
}
const DESTINATION_HISTOGRAMS: Readonly<Record<string, { help: string; buckets: number[] }>> = {
  'kafka.batch_bytes': {
    ...{ help: 'Size of what was written together.', buckets: [1e3, 1e4, 1e5, 2.5e5, 5e5, 1e6, 2e6] },
  },
  'kafka.configurable_batch_keys.unique_keys': {
    ...{ help: 'Different topics and partitions of a call.', buckets: [1, 2, 5, 10, 50, 100] },
  },
}
const LATENCY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface CurrentLoad {
  readonly events: number
}

/** What Prometheus is told of a service. No contents of events. */
export class ServiceMetrics {
  readonly #registry = new Registry()
  readonly #requests = this.#counter('headrace_http_requests_total', 'Answers.', ['path', 'status'])
  readonly #latency = new Histogram({
    ...{ name: 'headrace_http_request_seconds', help: 'From request to answer.', labelNames: ['path'] as const },
    ...{ buckets: LATENCY_SECONDS, registers: [this.#registry] },
  })
  readonly #results = this.#counter('headrace_events_total', 'Results: events by mapping.', ['mapping', 'status'])
  readonly #received = this.#counter('headrace_events_received_total', 'Events that came in.', [])
  readonly #refused = this.#counter('headrace_events_refused_total', 'Events that are none.', ['code'])
  readonly #unmatched = this.#counter('headrace_events_unmatched_total', 'Events that no mapping takes.', [])
  readonly #stats = new Map<string, Counter | Histogram>()

  constructor(load: CurrentLoad) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    new Gauge({
      ...{ name: 'headrace_events_in_flight', help: 'Events that are on their way to Kafka.', registers },
      collect() {
        this.set(load.events)
      },
    })
    for (const [name, help] of Object.entries(DESTINATION_COUNTERS)) {
      this.#stats.set(name, this.#counter(name, help, []))
    }
    for (const [name, { help, buckets }] of Object.entries(DESTINATION_HISTOGRAMS)) {
      this.#stats.set(name, new Histogram({ name: name.replaceAll('.', '_'), help, buckets, registers }))
    }
  }

  /** For `KafkaDestination`. */
  get stats(): StatsClient {
    return {
      incr: (name, value = 1) => {
        const counter = this.#stats.get(name)
        if (counter instanceof Counter) counter.inc(value)
      },
      histogram: (name, value) => {
        const histogram = this.#stats.get(name)
        if (histogram instanceof Histogram) histogram.observe(value)
      },
    }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  answered(path: string, status: number, seconds: number): void {
    this.#requests.inc({ path, status })
    this.#latency.observe({ path }, seconds)
  }

  refused(code: string): void {
    this.#refused.inc({ code })
  }

  delivered(events: number, results: readonly DeliveryResult[]): void {
    this.#received.inc(events)
    const matched = new Set<number>()
    for (const { event, mapping, status } of results) {
      matched.add(event)
      this.#results.inc({ mapping: mapping ?? '', status })
    }
    this.#unmatched.inc(events - matched.size)
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }
}
