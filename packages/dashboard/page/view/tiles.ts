import type { Stats } from '@loads-runner/metrics'
import type { RunModel } from '../../src/model.ts'
import { element, setAttribute, setText } from './dom.ts'
import { formatBytes, formatCount, formatMillis, formatRate, formatShare, unknown } from './figures.ts'
import { quantileText, trustText, type QuantileName } from './quantiles.ts'
import type { Part, Section } from './section.ts'
import type { Tone } from './standing.ts'

export interface Tile {
  key: string
  label: string
  value: string
  /** A line below it. */
  more: string
  tone: Tone | null
  help: string
}

/** Above it a load thread is late for everything that it does. Milliseconds. */
const lagLimitMs = 10
/** Lateness that a schedule of starts is not to have. Milliseconds. */
const latenessLimitMs = 10
const liveSeconds = 5

/** The figures that matter. Pure. */
export function tilesOf(model: RunModel): Tile[] {
  const { totals } = model
  const hasBegun = model.head.startedAt !== null
  const bad = totals.errors + totals.failures
  return [
    tile(
      'hits',
      'Hits',
      formatCount(totals.hits),
      `${formatBytes(totals.bytesIn)} in, ${formatBytes(totals.bytesOut)} out`,
    ),
    rateTile(model),
    {
      ...tile(
        'failed',
        'Failed hits',
        formatCount(totals.failedHits),
        shareOf(totals.failedHits, totals.hits, 'of hits'),
      ),
      tone: totals.failedHits > 0 ? 'bad' : null,
      help: 'Hits without a complete answer, or with a status of 400 and more that was not expected.',
    },
    {
      ...tile(
        'errors',
        'Failed executions',
        formatCount(bad),
        shareOf(bad, totals.executions, 'of executions'),
      ),
      tone: bad > 0 ? 'bad' : null,
      help: `${formatCount(totals.failures)} failures of assertions, ${formatCount(totals.errors)} errors.`,
    },
    ...(['p50', 'p95', 'p99'] as const).map((name) =>
      quantileTile(name, totals.serviceTime, totals.responseTime),
    ),
    tile('users', 'Users', formatCount(totals.activeUsers), `${formatCount(totals.executions)} executions`),
    ...startTiles(model),
    {
      ...tile(
        'coverage',
        'Coverage',
        hasBegun ? formatShare(totals.coverage) : unknown,
        !hasBegun ? 'not begun' : totals.coverage >= 1 ? 'nothing is missing' : 'figures are missing',
      ),
      tone: totals.coverage < 1 ? 'doubtful' : null,
      help: 'Windows received of windows owed by the agents.',
    },
    generatorTile(model),
  ]
}

function tile(key: string, label: string, value: string, more: string): Tile {
  return { key, label, value, more, tone: null, help: '' }
}

function shareOf(part: number, all: number, of: string): string {
  return all === 0 ? '' : `${formatShare(part / all)} ${of}`
}

/** While it goes on: that of the latest seconds; afterwards that of the summary. */
function rateTile({ points, summary }: RunModel): Tile {
  if (summary !== null)
    return tile('rate', 'Hits per second', formatRate(summary.hits.perSecond), 'mean of the run')
  const { hitsPerSecond, spanMs } = points
  let hits = 0
  let millis = 0
  for (let place = hitsPerSecond.length - 1; place >= 0 && millis < liveSeconds * 1000; place--) {
    hits += (hitsPerSecond[place]! * spanMs[place]!) / 1000
    millis += spanMs[place]!
  }
  const rate = millis === 0 ? null : (hits * 1000) / millis
  return tile(
    'rate',
    'Hits per second',
    formatRate(rate),
    rate === null ? '' : `latest ${Math.round(millis / 1000)} s`,
  )
}

function quantileTile(name: QuantileName, service: Stats, response: Stats | null): Tile {
  const value = quantileText(service, name)
  return {
    ...tile(
      name,
      `Service time ${name}`,
      value,
      response === null ? trustText(service) : `response ${quantileText(response, name)}`,
    ),
    tone: value.startsWith('~') ? 'doubtful' : null,
    help: `From sending to the last byte: ${trustText(service)}. ~ means that fewer than 10 samples lie beyond it.`,
  }
}

/** Open models only. */
function startTiles({ totals }: RunModel): Tile[] {
  const { planned, started, dropped } = totals
  if (planned === null) return []
  return [
    {
      ...tile(
        'started',
        'Started of planned',
        formatCount(started),
        `${shareOf(started, planned, 'of')} ${formatCount(planned)}`,
      ),
      tone: started < 0.95 * planned ? 'doubtful' : null,
      help: 'Executions that began, of those that fell due.',
    },
    {
      ...tile('dropped', 'Dropped', formatCount(dropped), shareOf(dropped, planned, 'of planned')),
      tone: dropped > 0 ? 'bad' : null,
      help: 'Executions that fell due and never started.',
    },
  ]
}

function generatorTile({ points, summary }: RunModel): Tile {
  const ended = summary?.generator ?? null
  const lag = ended === null ? worst(points.eventLoopLagMs) : ended.eventLoopLagP99
  const late = ended === null ? worst(points.latenessMs) : (summary?.schedule.latenessP99 ?? null)
  const isLimited = ended?.limited === true
  const isDoubtful =
    ended === null
      ? (lag ?? 0) > lagLimitMs || (late ?? 0) > latenessLimitMs
      : ended.tainted.length > 0 || ended.warnings.length > 0
  const hasFigures = ended !== null || lag !== null
  const words = isLimited
    ? '✗ the limit'
    : isDoubtful
      ? ended === null
        ? '▲ late'
        : '▲ late at times'
      : '✓ keeps up'
  return {
    ...tile(
      'generator',
      'Load generator',
      hasFigures ? words : unknown,
      `lag ${formatMillis(lag)}, late ${formatMillis(late)}`,
    ),
    tone: isLimited ? 'bad' : isDoubtful ? 'doubtful' : null,
    help:
      ended === null
        ? 'Worst agent in the last ten points: event loop lag, and how late executions start.'
        : 'p99 of the run: event loop lag, and how late executions started. Late: figures of some moments are doubtful.',
  }
}

function worst(values: readonly number[]): number | null {
  const last = values.slice(-10)
  return last.length === 0 ? null : Math.max(...last)
}

export class Tiles implements Section {
  readonly root = element('dl', { class: 'tiles', 'aria-label': 'Figures of the run' })
  readonly #made = new Map<string, HTMLElement>()

  update(model: RunModel, changed: ReadonlySet<Part>): void {
    if (!['totals', 'points', 'summary'].some((part) => changed.has(part as Part))) return
    const tiles = tilesOf(model)
    const keys = new Set(tiles.map(({ key }) => key))
    for (const [key, made] of this.#made)
      if (!keys.has(key)) {
        made.remove()
        this.#made.delete(key)
      }
    for (const each of tiles) {
      const made = this.#made.get(each.key) ?? this.#make(each.key)
      const [label, value, more] = made.children
      setAttribute(made, 'data-tone', each.tone)
      setAttribute(made, 'title', each.help === '' ? null : each.help)
      setText(label!, each.label)
      setText(value!, each.value)
      setText(more!, each.more)
    }
    // Full rows, wherever that can be.
    setAttribute(this.root, 'data-columns', tiles.length % 6 === 0 ? 6 : 5)
    const isSame = tiles.every(({ key }, place) => this.root.children[place] === this.#made.get(key))
    if (!isSame) this.root.replaceChildren(...tiles.map(({ key }) => this.#made.get(key)!))
  }

  destroy(): void {
    this.root.remove()
  }

  #make(key: string): HTMLElement {
    const made = element(
      'div',
      { class: 'tile', 'data-figure': key },
      element('dt'),
      element('dd', { class: 'value' }),
      element('dd', { class: 'more' }),
    )
    this.#made.set(key, made)
    return made
  }
}
