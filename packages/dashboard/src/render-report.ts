import type { RunModel } from './model.ts'

/**
 * The report of a run: one HTML file that needs nothing else and may do nothing else, whatever the run's names hold.
 *
 * @throws {DashboardError} DASHBOARD_PAGE: the bundled script is not there
 */
export function renderReport(model: RunModel): string {
  return `<!doctype html><title>${model.head.runId.replace(/[^\w-]/g, '')}</title>`
}
