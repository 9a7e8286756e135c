import type { AnnotationQuery, DataQuery } from '@grafana/schema'
import { askedVariable, chosenDatasource, datasourceVariable, type AskedVariable } from './dashboard.ts'

/** A query of Grafana's Prometheus data source, as it is stored. */
export interface PromQuery extends DataQuery {
  expr: string
  legendFormat: string
  /** The latest value only, instead of a line. */
  instant: boolean
  range: boolean
  format: 'time_series' | 'table' | 'heatmap'
}

export interface PromAnnotation extends AnnotationQuery {
  expr: string
  step: string
  titleFormat: string
  textFormat: string
  tagKeys: string
}

export const prometheus = chosenDatasource('prometheus')

/** Series of the chosen run, and more. */
export function ofRun(metric: string, more = ''): string {
  return `${metric}{run="$run"${more === '' ? '' : `, ${more}`}}`
}

/** What is chosen of tests and names. */
export const chosenNames = 'test=~"$test", name=~"$name"'

/** Increase per second. */
export function perSecond(metric: string, by = '', more = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (rate(${ofRun(metric, more)}[$__rate_interval]))`
}

/** A quantile of the native histograms of all series together, as they grow. */
export function quantile(share: number, metric: string, by = '', more = ''): string {
  return `histogram_quantile(${share}, ${perSecond(metric, by, more)})`
}

/** What a counter has come to, also when the run is over: it begins at 0 with the run. */
export function totalOf(metric: string, by = '', more = ''): string {
  return `sum${by === '' ? '' : ` by (${by})`} (last_over_time(${ofRun(metric, more)}[$__range]))`
}

/** A quantile of all that is shown of the run. The growth of histograms: their last value some versions do not find. */
export function totalQuantile(share: number, metric: string, by = '', more = ''): string {
  const sum = `sum${by === '' ? '' : ` by (${by})`}`
  return `histogram_quantile(${share}, ${sum} (increase(${ofRun(metric, more)}[$__range])))`
}

export function overTime(exprs: Record<string, string>): PromQuery[] {
  return Object.entries(exprs).map(([legendFormat, expr], index) => ({
    refId: refIdOf(index),
    expr,
    legendFormat,
    instant: false,
    range: true,
    format: 'time_series',
  }))
}

export function asHeat(expr: string): PromQuery[] {
  return overTime({ '': expr }).map((query) => ({ ...query, format: 'heatmap' as const }))
}

export function now(
  exprs: Record<string, string>,
  format: 'time_series' | 'table' = 'time_series',
): PromQuery[] {
  return overTime(exprs).map((query) => ({ ...query, instant: true, range: false, format }))
}

function refIdOf(index: number): string {
  return String.fromCharCode(65 + index)
}

function labelValues(
  spec: Omit<AskedVariable, 'datasource' | 'query'> & { of: string; label: string; values: string },
) {
  const { of, values, ...rest } = spec
  return askedVariable({
    ...rest,
    datasource: prometheus,
    query: { query: `label_values(${of}, ${values})`, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
  })
}

export const promVariables = [
  datasourceVariable('prometheus'),
  labelValues({
    name: 'project',
    label: 'Project',
    description: 'Which runs are offered',
    of: 'loads_run_info',
    values: 'project',
    many: true,
  }),
  labelValues({
    name: 'run',
    label: 'Run',
    description: 'The id of a run',
    of: 'loads_run_info{project=~"$project"}',
    values: 'run',
    descending: true,
  }),
  labelValues({
    name: 'test',
    label: 'Test',
    description: 'Tests whose names are shown',
    of: 'loads_hits_total{run="$run"}',
    values: 'test',
    many: true,
  }),
  labelValues({
    name: 'name',
    label: 'Name',
    description: 'Names of hits that are shown',
    of: 'loads_hits_total{run="$run", test=~"$test"}',
    values: 'name',
    many: true,
  }),
]

/** Prometheus keeps no moments, but states: where one begins is one. */
export const promMoments: PromAnnotation[] = [
  {
    name: 'State of the run',
    datasource: prometheus,
    enable: true,
    iconColor: 'green',
    expr: `${ofRun('loads_run_state')} == 1`,
    step: '1s',
    titleFormat: '{{state}}',
    textFormat: '{{run}}',
    tagKeys: 'state',
  },
  {
    name: 'Thresholds crossed',
    datasource: prometheus,
    enable: true,
    iconColor: 'yellow',
    expr: `${ofRun('loads_threshold_ok')} == 0`,
    step: '1s',
    titleFormat: 'crossed',
    textFormat: '{{expression}}',
    tagKeys: 'expression',
  },
]
