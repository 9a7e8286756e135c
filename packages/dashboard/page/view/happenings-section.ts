import type { Band, Mark, RunModel } from '../../src/model.ts'
import { DataTable, type Column } from './data-table.ts'
import { element, setShown, setText } from './dom.ts'
import { formatElapsed, plural } from './figures.ts'
import { lanesOf, visibleBands } from './happenings.ts'
import { plainLabel } from './labels.ts'
import type { PaneContext } from './pane-context.ts'
import { panel, type Part, type Section } from './section.ts'

const mostLanes = 6
const mostBars = 200
const laneHeight = 22
/** Of the labels of bars, on average. Pixels. */
const letterWidth = 6.2

interface Happened {
  key: string
  kind: string
  fromMs: number
  toMs: number | null
  isMoment: boolean
  label: string
  detail: string
}

const columns: Column<Happened>[] = [
  { key: 'label', title: 'What', text: ({ label }) => plainLabel(label, 300), sort: ({ label }) => label },
  { key: 'kind', title: 'Kind', width: 96, text: ({ kind }) => kind, sort: ({ kind }) => kind },
  {
    key: 'from',
    title: 'From',
    align: 'right',
    width: 84,
    text: ({ fromMs }) => formatElapsed(fromMs),
    sort: ({ fromMs }) => fromMs,
  },
  {
    key: 'to',
    title: 'To',
    align: 'right',
    width: 84,
    text: ({ toMs, isMoment }) => (isMoment ? '' : toMs === null ? 'goes on' : formatElapsed(toMs)),
    sort: ({ toMs, fromMs, isMoment }) => (isMoment ? fromMs : (toMs ?? Infinity)),
  },
  {
    key: 'detail',
    title: 'By, or more',
    width: 280,
    text: ({ detail }) => plainLabel(detail, 300),
    sort: ({ detail }) => detail,
  },
]

/** Faults, stages, notes and whatever else happened, above the charts on their time axis, and as a list. */
export class HappeningsSection implements Section {
  readonly root: HTMLElement
  readonly #context: PaneContext
  readonly #strip = element('div', { class: 'strip', 'aria-hidden': 'true' })
  readonly #empty = element(
    'p',
    { class: 'empty' },
    'Nothing has happened besides the load: no faults, notes or losses.',
  )
  readonly #summary = element('summary')
  readonly #list: HTMLDetailsElement
  readonly #table = new DataTable<Happened>({
    label: 'What happened',
    columns,
    key: ({ key }) => key,
    sort: { key: 'from', descending: false },
    empty: 'Nothing.',
    maxHeight: 320,
  })
  readonly #ends: (() => void)[]
  #bands: readonly Band[] = []
  #width = 0

  constructor(context: PaneContext) {
    this.#context = context
    this.#list = element('details', {}, this.#summary, this.#table.root)
    this.root = panel('What happened', [], this.#strip, this.#empty, this.#list)
    this.#ends = [
      context.axis.onChange(() => this.#drawStrip()),
      context.watchSize(this.#strip, (width) => {
        if (Math.abs(width - this.#width) < 1) return
        this.#width = width
        this.#drawStrip()
      }),
    ]
  }

  update({ bands, marks }: RunModel, changed: ReadonlySet<Part>): void {
    if (changed.has('bands') || changed.has('marks')) {
      this.#bands = bands
      this.#table.setRows([...bands.map(bandRow), ...marks.map(markRow)])
      setText(
        this.#summary,
        `All ${plural(this.#table.count, 'entry').replace('entrys', 'entries')} as a list`,
      )
      setShown(this.#list, this.#table.count > 0)
      setShown(this.#empty, this.#table.count === 0)
      setShown(this.#strip, bands.length > 0)
    } else if (!changed.has('points')) return
    this.#drawStrip()
  }

  destroy(): void {
    for (const end of this.#ends) end()
    this.#table.destroy()
    this.root.remove()
  }

  #drawStrip(): void {
    if (this.#strip.hidden) return
    const { axis } = this.#context
    const width = this.#width || this.#strip.clientWidth || 600
    const visible = visibleBands(this.#bands, axis.range, axis.endMs, width)
      .slice(0, mostBars)
      .map((each) => ({ ...each, label: plainLabel(each.band.label, 40) }))
      .sort((one, other) => one.left - other.left)
    // Stages follow one another above the rest. A label may be longer than its bar: it gets the room that it needs.
    const stages = visible.filter(({ band }) => band.kind === 'stage')
    const others = visible.filter(({ band }) => band.kind !== 'stage')
    const upper = lanesOf(stages.map(({ left, width: wide }) => ({ from: left, to: left + wide - 1 })))
    const lower = lanesOf(
      others.map(({ left, width: wide, label }) => ({
        from: left,
        to: left + Math.max(wide, label.length * letterWidth + 12),
      })),
    )
    const below = Math.max(-1, ...upper) + 1
    const ordered = [...stages, ...others]
    const lanes = [...upper, ...lower.map((lane) => lane + below)]
    this.#strip.style.height = `${Math.min(mostLanes, Math.max(0, ...lanes) + 1) * laneHeight}px`
    const bars = ordered.flatMap(({ band, left, width: wide, label }, index) => {
      if (lanes[index]! >= mostLanes) return []
      const until = band.toMs === null ? 'goes on' : formatElapsed(band.toMs)
      const title = `${band.label}\n${formatElapsed(band.fromMs)} to ${until}\n${band.detail}`
      const bar = element(
        'div',
        { class: 'bar-of', 'data-kind': band.kind, title: title.slice(0, 600) },
        element('span', {}, label),
      )
      bar.style.left = `${left.toFixed(1)}px`
      bar.style.width = `${Math.max(3, wide - 1).toFixed(1)}px`
      bar.style.top = `${lanes[index]! * laneHeight}px`
      return [bar]
    })
    this.#strip.replaceChildren(...bars)
  }
}

function bandRow({ id, kind, label, detail, fromMs, toMs }: Band): Happened {
  return { key: `band ${id}`, kind, fromMs, toMs, isMoment: false, label, detail }
}

function markRow({ kind, atMs, label, source }: Mark, index: number): Happened {
  return { key: `mark ${index}`, kind, fromMs: atMs, toMs: null, isMoment: true, label, detail: source }
}
