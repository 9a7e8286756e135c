/**
 * InfluxDB 1, 2 and 3: the same points, by the measurements in this package's README.
 *
 * @module
 */
import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import type { Output } from '../output.ts'
import { parseAddress, secretOf, type InfluxAddress } from './address.ts'
import { ClientWriter } from './client-writer.ts'
import { InfluxOutput } from './influx-output.ts'
import { LineWriter } from './line-writer.ts'

/** @throws {OutputError} OUTPUT_ARGUMENTS */
export function createInflux1(args: string, environment: OutputEnvironment): Output {
  const address = parseAddress(args, {
    output: 'influx',
    usage: 'influx:http://[USER:PASSWORD@]HOST:8086/DATABASE[?rp=RETENTION_POLICY]',
    names: 1,
    options: ['rp'],
  })
  const password = address.password ?? secretOf(environment, 'LOADS_INFLUX_PASSWORD')
  return new InfluxOutput('influx', new ClientWriter({ ...address, password }), environment)
}

/** @throws {OutputError} OUTPUT_ARGUMENTS */
export function createInflux2(args: string, environment: OutputEnvironment): Output {
  const usage = 'influx2:http://HOST:8086/ORG/BUCKET, with the token in the variable LOADS_INFLUX_TOKEN'
  const address = parseAddress(args, { output: 'influx2', usage, names: 2, options: [] })
  refuseUser('influx2', address, usage)
  const token = secretOf(environment, 'LOADS_INFLUX_TOKEN', 'INFLUX_TOKEN')
  if (token === null)
    throw new OutputError(
      'OUTPUT_ARGUMENTS',
      'output influx2: there is no token; set LOADS_INFLUX_TOKEN (or INFLUX_TOKEN) to one that may write the bucket',
    )
  const [org, bucket] = address.names as [string, string]
  const writer = new LineWriter({
    target: `${address.base}/${org}/${bucket}`,
    accessHint: `set LOADS_INFLUX_TOKEN to a token that may write the bucket ${bucket}`,
    missingHint: `make it there: influx bucket create --org "${org}" --name "${bucket}"`,
    url: urlOf(address, '/api/v2/write', { org, bucket, precision: 'ms' }),
    authorization: `Token ${token}`,
  })
  return new InfluxOutput('influx2', writer, environment)
}

/** @throws {OutputError} OUTPUT_ARGUMENTS */
export function createInflux3(args: string, environment: OutputEnvironment): Output {
  const usage = 'influx3:http://HOST:8181/DATABASE, with the token in the variable LOADS_INFLUX_TOKEN'
  const address = parseAddress(args, { output: 'influx3', usage, names: 1, options: [] })
  refuseUser('influx3', address, usage)
  // A server may be run without tokens; one that wants them says so.
  const token = secretOf(environment, 'LOADS_INFLUX_TOKEN', 'INFLUX_TOKEN')
  const database = address.names[0]!
  const writer = new LineWriter({
    target: `${address.base}/${database}`,
    accessHint: `set LOADS_INFLUX_TOKEN to a token that may write the database ${database}`,
    missingHint: `make it there: influxdb3 create database "${database}"`,
    url: urlOf(address, '/api/v3/write_lp', { db: database, precision: 'millisecond' }),
    authorization: token === null ? null : `Bearer ${token}`,
  })
  return new InfluxOutput('influx3', writer, environment)
}

function urlOf({ base }: InfluxAddress, path: string, query: Record<string, string>): URL {
  const url = new URL(`${base}${path}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

function refuseUser(output: string, { user, password }: InfluxAddress, usage: string): void {
  if (user === null && password === null) return
  throw new OutputError(
    'OUTPUT_ARGUMENTS',
    `output ${output}: a token is not part of the address, where others could see it; write ${usage}`,
  )
}
