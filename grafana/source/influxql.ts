import type { AnnotationQuery, DataQuery, VariableModel } from '@grafana/schema'
import { askedVariable, chosenDatasource, datasourceVariable, listedVariable } from './dashboard.ts'

/** A query of Grafana's InfluxDB data source in InfluxQL, as it is stored. Grafana publishes no type of it. */
export interface InfluxQuery extends DataQuery {
  rawQuery: true
  query: string
  resultFormat: 'time_series' | 'table'
  /** Names of series: `$col`, `$tag_name`. */
  alias?: string
}

/** An annotation as Grafana's InfluxDB data source stores it. */
export interface InfluxAnnotation extends AnnotationQuery<AnnotationTarget> {
  query: string
  titleColumn: string
  textColumn: string
  tagsColumn: string
  timeEndColumn: string
}

interface AnnotationTarget extends DataQuery {
  query: string
  fromAnnotations: true
  textEditor: true
  name: string
  titleColumn: string
  textColumn: string
  tagsColumn: string
  timeEndColumn: string
}

export const influx = chosenDatasource('influxdb')

/** The run, within the time that is shown. */
export const thisRun = `"run" = '$run' AND $timeFilter`
/** The same at the resolution that is chosen. */
export const eachSpan = `"run" = '$run' AND "span" = '$span' AND $timeFilter`
/** All of the run so far, whatever time is shown: one point. */
export const wholeRun = `"run" = '$run' AND "span" = 'run'`
/** What is chosen of tests and names. */
export const chosenNames = `"test" =~ /^$test$/ AND "name" =~ /^$name$/`

/** Series over time. Never grouped to the width of the screen: the mean of two p95 is no p95. */
export function overTime(query: string, alias = '$col'): InfluxQuery[] {
  return [{ refId: 'A', rawQuery: true, query, resultFormat: 'time_series', alias }]
}

export function asTable(...queries: string[]): InfluxQuery[] {
  return queries.map((query, index) => ({
    refId: String.fromCharCode(65 + index),
    rawQuery: true,
    query,
    resultFormat: 'table',
  }))
}

/** `"p50", "p95"` */
export function fields(...names: string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}

function tagValues(measurement: string, key: string, where: string): string {
  return `SHOW TAG VALUES FROM "${measurement}" WITH KEY = "${key}" WHERE ${where}`
}

const projectVariable = askedVariable({
  name: 'project',
  label: 'Project',
  description: 'Which runs are offered',
  datasource: influx,
  query: tagValues('loads_run', 'project', `"span" = 'run'`),
  many: true,
})

export function runVariable(name = 'run', label = 'Run'): VariableModel {
  return askedVariable({
    name,
    label,
    description: 'The id of a run',
    datasource: influx,
    query: tagValues('loads_run', 'run', '"project" =~ /^$project$/'),
    descending: true,
  })
}

export const spanVariable = listedVariable(
  'span',
  'Resolution',
  'Each figure is of this much time; quantiles are of all hits in it',
  ['1s', '10s', '60s'],
)

const testVariable = askedVariable({
  name: 'test',
  label: 'Test',
  description: 'Tests whose names are shown',
  datasource: influx,
  query: tagValues('loads_names', 'test', `"run" = '$run'`),
  many: true,
})

const nameVariable = askedVariable({
  name: 'name',
  label: 'Name',
  description: 'Names of hits that are shown',
  datasource: influx,
  query: tagValues('loads_names', 'name', `"run" = '$run' AND "test" =~ /^$test$/`),
  many: true,
})

export const datasource = datasourceVariable('influxdb')
/** Of dashboards of one run. */
export const oneRun = [datasource, projectVariable, runVariable(), spanVariable]
export const oneRunByName = [...oneRun, testVariable, nameVariable]
/** Of dashboards of two. */
export const twoRuns = [
  datasource,
  projectVariable,
  runVariable('before', 'Before'),
  runVariable('after', 'After'),
  spanVariable,
]

function annotation(name: string, iconColor: string, where: string): InfluxAnnotation {
  const query = `SELECT "title", "text", "tags", "ends_at" FROM "loads_events" WHERE ${where} AND ${thisRun}`
  const columns = { titleColumn: 'title', textColumn: 'text', tagsColumn: 'tags', timeEndColumn: 'ends_at' }
  return {
    name,
    datasource: influx,
    enable: true,
    iconColor,
    query,
    ...columns,
    target: { refId: 'Anno', query, fromAnnotations: true, textEditor: true, name, ...columns },
  }
}

/** Moments of the run, and faults from their beginning to their end. */
export const moments: InfluxAnnotation[] = [
  annotation('Start and stop', 'green', `("type" = 'start' OR "type" = 'stop')`),
  annotation(
    'Agents lost',
    'red',
    `"type" = 'agent' AND ("state" = 'suspect' OR "state" = 'lost' OR "state" = 'fenced')`,
  ),
  annotation('Faults', 'orange', `"type" = 'fault'`),
  annotation('Notes', 'blue', `"type" = 'note'`),
  annotation('Operators', 'purple', `"type" = 'control'`),
  annotation('Thresholds', 'yellow', `"type" = 'threshold'`),
]
