import type { RunModel, RunUpdate } from '../../src/model.ts'

export interface RunPaneOptions {
  /** It goes on: updates come. */
  live: boolean
  /** Beside another one: one column, no log. */
  compact?: boolean
}

export interface RunPane {
  /** The model with the update applied, and the update, so that only what has changed is drawn. */
  update(model: RunModel, update: RunUpdate): void
  destroy(): void
}

/** Draws a run into an element, which it fills. */
export function renderRun(root: HTMLElement, model: RunModel, options: RunPaneOptions): RunPane {
  void model
  void options
  return {
    update() {},
    destroy() {
      root.replaceChildren()
    },
  }
}
