import type { OutputEnvironment } from './environment.ts'
import type { Output } from './output.ts'

/**
 * Makes an output of what follows its name. It only looks at its arguments: nothing is opened, resolved or sent before
 * {@link Output.open}.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS
 */
export type OutputFactory = (args: string, environment: OutputEnvironment) => Output | Promise<Output>

/**
 * Where an output runs: `terminal`: the console itself. `file`: the process that was asked to write it. `server`: once
 * per run, where the run's figures are merged. `module`: the process that was asked (brokers run no code of users).
 */
export type OutputPlace = 'terminal' | 'file' | 'server' | 'module'

export interface KnownOutput {
  readonly name: string
  /** `csv:FILE`. */
  readonly usage: string
  /** One line for `--help`. */
  readonly help: string
  readonly place: OutputPlace
  /** Loads its code, which a run without it never does. */
  readonly load: () => Promise<OutputFactory>
}

/** All outputs that come with Loads, in the order in which help shows them. */
export const knownOutputs: readonly KnownOutput[] = [
  {
    name: 'stdout',
    usage: 'stdout',
    help: 'figures in the terminal (on unless --quiet)',
    place: 'terminal',
    load: async () => (await import('./files/silent-output.ts')).createStdout,
  },
  {
    name: 'null',
    usage: 'null',
    help: 'nowhere',
    place: 'file',
    load: async () => (await import('./files/silent-output.ts')).createNull,
  },
  {
    name: 'json',
    usage: 'json:FILE',
    help: 'the summary, at the end',
    place: 'file',
    load: async () => (await import('./files/json-output.ts')).createJson,
  },
  {
    name: 'ndjson',
    usage: 'ndjson:FILE',
    help: 'one JSON object per line: figures per second and series, events, summary',
    place: 'file',
    load: async () => (await import('./files/ndjson-output.ts')).createNdjson,
  },
  {
    name: 'csv',
    usage: 'csv:FILE',
    help: 'one row per second and series',
    place: 'file',
    load: async () => (await import('./files/csv-output.ts')).createCsv,
  },
  {
    name: 'junit',
    usage: 'junit:FILE',
    help: 'JUnit XML for CI, at the end',
    place: 'file',
    load: async () => (await import('./files/junit-output.ts')).createJunit,
  },
  {
    name: 'html',
    usage: 'html:FILE',
    help: 'the report as one page, at the end',
    place: 'file',
    load: async () => (await import('./files/html-output.ts')).createHtml,
  },
  {
    name: 'statsd',
    usage: 'statsd:HOST[:PORT][?prefix=loads&tags=datadog]',
    help: 'UDP, a few packets per second',
    place: 'server',
    load: async () => (await import('./statsd/statsd-output.ts')).createStatsd,
  },
  {
    name: 'influx',
    usage: 'influx:http://HOST:8086/DATABASE',
    help: 'InfluxDB 1',
    place: 'server',
    load: async () => (await import('./influx/index.ts')).createInflux1,
  },
  {
    name: 'influx2',
    usage: 'influx2:http://HOST:8086/ORG/BUCKET',
    help: 'InfluxDB 2, token in LOADS_INFLUX_TOKEN',
    place: 'server',
    load: async () => (await import('./influx/index.ts')).createInflux2,
  },
  {
    name: 'influx3',
    usage: 'influx3:http://HOST:8181/DATABASE',
    help: 'InfluxDB 3, token in LOADS_INFLUX_TOKEN',
    place: 'server',
    load: async () => (await import('./influx/index.ts')).createInflux3,
  },
  {
    name: 'prometheus',
    usage: 'prometheus:HOST:PORT or prometheus:http://HOST/api/v1/write',
    help: 'an address to scrape, or remote write',
    place: 'server',
    load: async () => (await import('./prometheus/index.ts')).createPrometheus,
  },
  {
    name: 'otlp',
    usage: 'otlp:http://HOST:4318',
    help: 'OpenTelemetry metrics over HTTP',
    place: 'server',
    load: async () => (await import('./otlp/index.ts')).createOtlp,
  },
  {
    name: 'webhook',
    usage: 'webhook:URL[?events=start,stop,threshold,agent-loss,fault]',
    help: 'POST of JSON when something happens',
    place: 'server',
    load: async () => (await import('./webhook/webhook-output.ts')).createWebhook,
  },
]

export function knownOutput(name: string): KnownOutput | undefined {
  return knownOutputs.find((known) => known.name === name)
}
