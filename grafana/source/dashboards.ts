import type { Dashboard } from '@grafana/schema'
import { agents } from './dashboards/agents.ts'
import { chaos } from './dashboards/chaos.ts'
import { comparison } from './dashboards/comparison.ts'
import { runPrometheus } from './dashboards/run-prometheus.ts'
import { run } from './dashboards/run.ts'

/** All dashboards, by the names of their files. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'run.json': run,
  'agents.json': agents,
  'comparison.json': comparison,
  'chaos.json': chaos,
  'run-prometheus.json': runPrometheus,
}
