export type Exposition = 'delimited' | 'openmetrics' | 'text'

export const contentTypes: Readonly<Record<Exposition, string>> = {
  delimited: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  text: 'text/plain; version=0.0.4; charset=utf-8',
}

/** What a scraper wants most of what there is, by its header `accept` (RFC 9110, 12.5.1); text where it does not say. */
export function wantedExposition(accept: string | undefined): Exposition {
  let best: Exposition = 'text'
  let most = 0
  for (const part of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase())
    const exposition = expositionOf(type, parameters)
    const quality = qualityOf(parameters)
    if (exposition !== null && quality > most) [best, most] = [exposition, quality]
  }
  return best
}

function expositionOf(type: string, parameters: readonly string[]): Exposition | null {
  switch (type) {
    case 'application/vnd.google.protobuf': {
      const isOurs = parameters.includes('proto=io.prometheus.client.metricfamily')
      return isOurs && parameters.includes('encoding=delimited') ? 'delimited' : null
    }
    case 'application/openmetrics-text': {
      const version = parameters.find((parameter) => parameter.startsWith('version='))
      // 0.0.1 was never different in what we write.
      return version === undefined || /^version=(1\.0\.0|0\.0\.1)$/.test(version) ? 'openmetrics' : null
    }
    case 'text/plain':
    case 'text/*':
    case '*/*':
      return 'text'
    default:
      return null
  }
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='))
  if (given === undefined) return 1
  const quality = Number(given.slice(2))
  return Number.isNaN(quality) ? 0 : quality
}
