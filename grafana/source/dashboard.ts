import { DashboardCursorSync, VariableHide, VariableRefresh, VariableSort } from '@grafana/schema'
import type { AnnotationQuery, Dashboard, DataSourceRef, RowPanel, VariableModel } from '@grafana/schema'
import type { Part } from './panel.ts'

export interface Section {
  title: string
  panels: Part[]
  /** Folded at first: asked for only when it is opened. */
  collapsed?: boolean
}

export interface DashboardSpec {
  /** Stays the same for ever: links hold it. */
  uid: string
  title: string
  description: string
  tags: string[]
  variables: VariableModel[]
  annotations: AnnotationQuery[]
  sections: Section[]
}

/** Columns of Grafana's grid. */
const columns = 24

/** A dashboard with its panels in rows: from left to right, as many as fit, then the next line. */
export function dashboard(spec: DashboardSpec): Dashboard {
  const { uid, title, description, tags, variables, annotations, sections } = spec
  return {
    uid,
    title,
    description,
    tags: ['loads', ...tags],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: DashboardCursorSync.Crosshair,
    time: { from: 'now-15m', to: 'now' },
    refresh: '5s',
    timepicker: { refresh_intervals: ['1s', '5s', '10s', '30s', '1m', '5m'] },
    timezone: 'browser',
    links: [
      {
        title: 'Loads',
        type: 'dashboards',
        tags: ['loads'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        icon: 'external link',
        tooltip: 'The other dashboards of Loads, at the same time',
        url: '',
      },
    ],
    annotations: { list: annotations },
    templating: { list: variables },
    panels: placed(sections),
  }
}

function placed(sections: readonly Section[]): (Part | RowPanel)[] {
  const panels: (Part | RowPanel)[] = []
  let id = 1
  let y = 0
  for (const { title, panels: parts, collapsed = false } of sections) {
    const row: RowPanel = {
      id: id++,
      type: 'row',
      title,
      collapsed,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    }
    panels.push(row)
    y++
    let x = 0
    let lineHeight = 0
    for (const part of parts) {
      if (x + part.gridPos.w > columns) {
        x = 0
        y += lineHeight
        lineHeight = 0
      }
      const put: Part = { ...part, id: id++, gridPos: { ...part.gridPos, x, y } }
      if (collapsed) row.panels.push(put)
      else panels.push(put)
      x += part.gridPos.w
      lineHeight = Math.max(lineHeight, part.gridPos.h)
    }
    y += lineHeight
  }
  return panels
}

/** Stands for a data source that the reader chooses: `$datasource`. */
export function datasourceVariable(type: string): VariableModel {
  return {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: type,
    refresh: VariableRefresh.onDashboardLoad,
    hide: VariableHide.dontHide,
    includeAll: false,
    multi: false,
  }
}

export function chosenDatasource(type: string): DataSourceRef {
  return { type, uid: '${datasource}' }
}

export interface AskedVariable {
  name: string
  label: string
  description: string
  datasource: DataSourceRef
  query: VariableModel['query']
  /** Several, and all at first. */
  many?: boolean
  /** Newest first, where values begin with a time. */
  descending?: boolean
}

/** A variable whose values are asked for. */
export function askedVariable(spec: AskedVariable): VariableModel {
  const { name, label, description, datasource, query, many = false, descending = false } = spec
  return {
    name,
    label,
    description,
    type: 'query',
    datasource,
    query: query!,
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: descending ? VariableSort.alphabeticalDesc : VariableSort.alphabeticalAsc,
    hide: VariableHide.dontHide,
    multi: many,
    includeAll: many,
    ...(many ? { allValue: '.*', current: { text: ['All'], value: ['$__all'], selected: true } } : {}),
  }
}

/** A variable of a few known values, the first one chosen. */
export function listedVariable(
  name: string,
  label: string,
  description: string,
  values: string[],
): VariableModel {
  return {
    name,
    label,
    description,
    type: 'custom',
    query: values.join(','),
    hide: VariableHide.dontHide,
    multi: false,
    includeAll: false,
    current: { text: values[0]!, value: values[0]!, selected: true },
    options: values.map((value, index) => ({ text: value, value, selected: index === 0 })),
  }
}
