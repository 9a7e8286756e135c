import type { OutputEnvironment } from '../environment.ts'
import { otlpOptions } from './options.ts'
import { OtlpOutput } from './otlp-output.ts'

/**
 * `http://[USER:PASSWORD@]HOST:4318[/v1/metrics][?every=10s&histograms=explicit]`; nothing: where the variables of
 * OpenTelemetry say.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS
 */
export function createOtlp(args: string, environment: OutputEnvironment): OtlpOutput {
  return new OtlpOutput(otlpOptions(args, environment), environment)
}
