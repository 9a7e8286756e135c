import type { SeriesRow } from '../../src/model.ts'
import type { Column } from '../view/data-table.ts'
import { formatCount, unknown } from '../view/figures.ts'
import { plainLabel } from '../view/labels.ts'
import { quantileText } from '../view/quantiles.ts'
import { effectText, errorsText } from './effects.ts'
import { formatRatio, sameShare, type FigurePair, type SeriesPair } from './comparison.ts'

/** The two tables of a comparison. */

export const figureColumns: Column<FigurePair>[] = [
  { key: 'label', title: 'Figure', width: 150, text: ({ label }) => label },
  { key: 'before', title: 'Before', align: 'right', width: 96, text: ({ before }) => before },
  { key: 'after', title: 'After', align: 'right', width: 96, text: ({ after }) => after },
  {
    key: 'ratio',
    title: 'Ratio',
    help: 'After divided by before',
    align: 'right',
    width: 76,
    text: ({ ratio }) => formatRatio(ratio),
  },
  { key: 'change', title: 'Change', align: 'right', width: 124, text: ({ change }) => change },
  {
    key: 'effect',
    title: 'Effect',
    help: 'Of all times together, said beside their median; of failed hits: whether their share has changed',
    text: ({ effect }) => effect,
  },
]

const quantileOf = (row: SeriesRow | null, absent: string) =>
  row === null ? absent : quantileText(row.time, 'p95')

export const seriesColumns: Column<SeriesPair>[] = [
  {
    key: 'name',
    title: 'Name',
    text: ({ name }) => plainLabel(name, 160),
    sort: ({ name, status }) => `${name} ${status}`,
  },
  {
    key: 'status',
    title: 'Status',
    width: 84,
    text: ({ status }) => plainLabel(status, 60),
    sort: ({ status }) => status,
  },
  {
    key: 'effect',
    title: 'Effect',
    help: 'Of the name, all statuses together; sorted by what is clear, the largest first',
    width: 210,
    text: ({ effect }) => effectText(effect),
    sort: ({ effectSize }) => effectSize,
  },
  {
    key: 'errors',
    title: 'Failed share',
    help: 'Of the name, all statuses together: whether more or fewer of its hits fail',
    width: 124,
    text: ({ effect }) => errorsText(effect),
    sort: ({ effect }) => effect?.errors.difference ?? null,
  },
  {
    key: 'count-before',
    title: 'Hits before',
    align: 'right',
    width: 88,
    text: ({ before }) => formatCount(before?.count ?? null),
    sort: ({ before }) => before?.count ?? null,
  },
  {
    key: 'count-after',
    title: 'Hits after',
    align: 'right',
    width: 88,
    text: ({ after }) => formatCount(after?.count ?? null),
    sort: ({ after }) => after?.count ?? null,
  },
  {
    key: 'rate',
    title: 'Rate ratio',
    help: 'Hits per second: after divided by before',
    align: 'right',
    width: 84,
    text: ({ ratios }) => formatRatio(ratios.rate),
    sort: ({ ratios }) => ratios.rate,
  },
  {
    key: 'p95-before',
    title: 'p95 before',
    help: 'Service time. ~: fewer than 10 samples lie beyond it.',
    align: 'right',
    width: 88,
    text: ({ before }) => quantileOf(before, 'new'),
    sort: ({ before }) => before?.time?.p95 ?? null,
  },
  {
    key: 'p95-after',
    title: 'p95 after',
    help: 'Service time. ~: fewer than 10 samples lie beyond it.',
    align: 'right',
    width: 88,
    text: ({ after }) => quantileOf(after, 'gone'),
    sort: ({ after }) => after?.time?.p95 ?? null,
  },
  {
    key: 'p50',
    title: 'p50 ratio',
    help: 'After divided by before',
    align: 'right',
    width: 80,
    text: ({ ratios }) => formatRatio(ratios.p50),
    sort: ({ ratios }) => ratios.p50,
  },
  {
    key: 'size',
    title: 'p95 ratio',
    help: 'After divided by before; sorted by how far it is from 1, up or down',
    align: 'right',
    width: 92,
    text: ({ ratios, size }) =>
      size === null ? unknown : `${arrowOf(ratios.p95)} ${formatRatio(ratios.p95)}`,
    sort: ({ size }) => size,
  },
  {
    key: 'p99',
    title: 'p99 ratio',
    help: 'After divided by before',
    align: 'right',
    width: 80,
    text: ({ ratios }) => formatRatio(ratios.p99),
    sort: ({ ratios }) => ratios.p99,
  },
]

function arrowOf(ratio: number | null): string {
  if (ratio === null || Math.abs(ratio - 1) < sameShare) return '='
  return ratio > 1 ? '▲' : '▼'
}
