import type { RunModel, RunUpdate } from '../../src/model.ts'

/** All of a model as one update, for a pane that has missed some. */
export function catchUp(model: RunModel): RunUpdate {
  const { points, heatmap, summary, ...whole } = model
  return {
    ...whole,
    allPoints: points,
    bounds: heatmap.bounds,
    allColumns: heatmap.columns,
    ...(summary === null ? {} : { summary }),
  }
}
