import { renderRun } from '../../../page/view/run-pane.ts'
import { applyUpdate } from '../../../src/apply-update.ts'
import type { RunModel } from '../../../src/model.ts'
import { sampleModel, sampleUpdates, type SampleOptions } from '../../support/sample-model.ts'

/** What the test calls in the browser. */
Object.assign(globalThis, {
  draw(options: SampleOptions & { nothing?: boolean }): RunModel {
    const model = options.nothing === true ? withoutFigures(sampleModel(options)) : sampleModel(options)
    const pane = renderRun(document.querySelector<HTMLElement>('main')!, model, {
      live: options.ended !== true,
    })
    const updates = sampleUpdates(model, options)
    Object.assign(globalThis, {
      /** Seconds go by, drawn one by one when `frames` is true. */
      async goOn(seconds: number, frames: boolean): Promise<RunModel> {
        for (let second = 0; second < seconds; second++) {
          const update = updates.next().value
          applyUpdate(model, update)
          pane.update(model, update)
          if (frames) await nextFrame()
        }
        await nextFrame()
        await nextFrame()
        return model
      },
      leave: () => pane.destroy(),
    })
    return model
  },
})

function nextFrame(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => resolve()))
}

/** A run that waits for agents. */
function withoutFigures(model: RunModel): RunModel {
  const columns = model.points as unknown as Record<string, unknown[]>
  for (const name of Object.keys(columns)) columns[name] = []
  const none = {
    ...model.totals.serviceTime,
    count: 0,
    p50: null,
    p95: null,
    p99: null,
    max: null,
    trustedTo: 0,
  }
  return {
    ...model,
    head: { ...model.head, state: 'queued', startedAt: null, elapsedMs: 0, progress: 0 },
    totals: {
      ...model.totals,
      hits: 0,
      failedHits: 0,
      executions: 0,
      failures: 0,
      errors: 0,
      planned: null,
      serviceTime: none,
      responseTime: null,
    },
    heatmap: { bounds: [], columns: [] },
    series: [],
    errors: [],
    agents: [],
    thresholds: [],
    bands: [],
    marks: [],
    log: [],
    observed: {},
  }
}
