import type { AnnotationQuery, Dashboard, DataQuery, Panel, RowPanel, VariableModel } from '@grafana/schema'

/** All panels of a dashboard, those in folded rows included; no rows. */
export function panelsOf({ panels = [] }: Dashboard): Panel[] {
  return panels.flatMap((panel) => (isRow(panel) ? panel.panels : [panel]))
}

/** Everything that has a place in the grid and is not folded away. */
export function placedOf({ panels = [] }: Dashboard): (Panel | RowPanel)[] {
  return panels
}

export function targetsOf({ targets = [] }: Panel): DataQuery[] {
  return targets as unknown as DataQuery[]
}

export function annotationsOf({ annotations }: Dashboard): AnnotationQuery[] {
  return annotations?.list ?? []
}

export function variablesOf({ templating }: Dashboard): VariableModel[] {
  return templating?.list ?? []
}

function isRow(panel: Panel | RowPanel): panel is RowPanel {
  return panel.type === 'row'
}
