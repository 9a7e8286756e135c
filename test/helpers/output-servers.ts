import { OtlpReceiver } from '../../packages/outputs/test/otlp/support/otlp-receiver.ts'
import { Influxd } from '../../packages/outputs/test/influx/support/influxd.ts'
import { Prometheus } from '../../packages/outputs/test/prometheus/support/prometheus.ts'
import { StatsdDaemon } from '../../packages/outputs/test/statsd/support/daemon.ts'
import { cleanUpAfterTest } from './temporary.ts'

export { needInfluxd } from '../../packages/outputs/test/influx/support/influxd.ts'
export type { Row } from '../../packages/outputs/test/influx/support/influxd.ts'
export { freePort, needPrometheus } from '../../packages/outputs/test/prometheus/support/prometheus.ts'
export { samplesOf } from '../../packages/outputs/src/observe/page.ts'

// Servers that figures go to: real ones, gone after the test.

export async function startInfluxd(options: { auth?: boolean } = {}): Promise<Influxd> {
  const influxd = await Influxd.start(options)
  cleanUpAfterTest(() => influxd.stop())
  return influxd
}

export async function startPrometheus(options: { scrape?: string } = {}): Promise<Prometheus> {
  const prometheus = await Prometheus.start(options)
  cleanUpAfterTest(() => prometheus.stop())
  return prometheus
}

export async function startStatsd(): Promise<StatsdDaemon> {
  const daemon = await StatsdDaemon.start()
  cleanUpAfterTest(() => daemon.stop())
  return daemon
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const receiver = await new OtlpReceiver().start()
  cleanUpAfterTest(() => receiver.stop())
  return receiver
}
