import type { Comparison } from '@loads-runner/history'

type Compared = Comparison['all']

/** What the server would say of two stored runs: of all hits what it says of the second name. */
export function sampleComparison(
  before: string,
  after: string,
  names: readonly Pick<Compared, 'name' | 'change' | 'delta' | 'p'>[],
): Comparison {
  const series = names.map((changes): Compared => ({
    kind: 'http',
    test: 'Shop.test_buy',
    method: 'GET',
    before: null,
    after: null,
    ratio: { perSecond: null, mean: null, p50: null, p95: null, p99: null },
    superiority: null,
    basis: { type: 'samples' },
    errors: { difference: 0.02, p: 0.004, change: 'more' },
    ...changes,
  }))
  const runOf = (runId: string) => ({
    runId,
    path: runId,
    names: [runId],
    startedAt: 0,
    loadSeconds: 20,
    verdict: null,
    damage: null,
  })
  return { before: runOf(before), after: runOf(after), all: series[1]!, responses: null, series }
}
