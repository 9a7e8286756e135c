import type { OutputEnvironment } from '../environment.ts'
import type { Output } from '../output.ts'
import { createRemoteWrite } from './remote-write.ts'
import { createScrape } from './scrape.ts'

/**
 * `HOST:PORT[/metrics][?linger=15s]` is an address to scrape;
 * `http://[USER:PASSWORD@]HOST/api/v1/write[?every=10s&native=false&classic=false]` is remote write.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS
 */
export function createPrometheus(args: string, environment: OutputEnvironment): Output {
  return /^\s*https?:\/\//i.test(args)
    ? createRemoteWrite(args, environment)
    : createScrape(args, environment)
}
