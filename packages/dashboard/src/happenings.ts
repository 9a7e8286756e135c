import type { Summary } from '@loads-runner/metrics'
import {
  tearDownNote,
  type AgentView,
  type FaultEvent,
  type NoteEvent,
  type RunEvent,
} from '@loads-runner/protocol'
import { agentKey, type RunView } from '@loads-runner/history'
import { perSecond, stageText } from './load-text.ts'
import type { Band, Mark } from './model.ts'

/** More bands, or marks, than that say nothing any more: the oldest go. */
const most = 500

/** What happens in a run besides its figures: times in which something was different, and moments. */
export class Happenings {
  readonly #bands = new Map<string, Band>()
  #marks: Mark[] = []
  /** How often something of the same id began: an id may be used again. */
  #begun = 0
  readonly #open = new Map<string, Band>()
  bandsChanged = false
  marksChanged = false

  bands(): Band[] {
    return [...this.#bands.values()].map((band) => ({ ...band }))
  }

  marks(): Mark[] {
    return this.#marks.map((mark) => ({ ...mark }))
  }

  /** Called before the view takes the event in. @param atMs milliseconds of the run */
  take(event: RunEvent, view: RunView, atMs: number): void {
    switch (event.type) {
      case 'snapshot':
        return this.#restore(event)
      case 'state':
        return this.#takeState(event, view, atMs)
      case 'agent':
        return this.#takeAgent(event.agent, event.note, view, atMs)
      case 'control':
        return this.#takeControl(event, view)
      case 'note':
      case 'fault':
        return this.#takeAnnotation(event)
      case 'thresholds':
        for (const { expression, ok } of event.states) {
          const before = view.thresholds.find((state) => state.expression === expression)?.ok
          if (ok === false && before !== false)
            this.#mark('threshold', event.elapsedMs, `crossed: ${expression}`, 'broker')
          if (ok === true && before === false)
            this.#mark('threshold', event.elapsedMs, `holds again: ${expression}`, 'broker')
        }
        return
      case 'observation':
      case 'commit':
      case 'log':
      case 'finished':
        return
    }
  }

  /** The run is over: what the summary tells of its times. */
  end(summary: Summary, state: string, endMs: number): void {
    this.#mark('state', endMs, `${state}: ${summary.verdict}`, 'broker')
    // A fault that nobody took back goes on.
    for (const [key, band] of this.#open) if (band.kind !== 'fault') this.#closeBand(key, endMs)
    for (const [index, { agent, fromSecond, toSecond, hitsAtMost }] of summary.coverage.missing.entries())
      this.#addBand({
        id: `missing-${index}`,
        kind: 'missing',
        label: `figures of ${agent} are missing`,
        detail: hitsAtMost === null ? 'how many hits is not known' : `${hitsAtMost} hits at most`,
        fromMs: fromSecond * 1000,
        toMs: toSecond * 1000,
      })
    for (const [index, { agent, fromSecond, toSecond, reasons }] of summary.generator.tainted.entries())
      this.#addBand({
        id: `tainted-${index}`,
        kind: 'tainted',
        label: `${agent} did not keep up`,
        detail: reasons.join(', '),
        fromMs: fromSecond * 1000,
        toMs: toSecond * 1000,
      })
  }

  #restore({ spec, annotations, state, elapsedMs, stage }: Extract<RunEvent, { type: 'snapshot' }>): void {
    // A second snapshot tells again what is known.
    for (const each of annotations) if (!this.#isKnown(each)) this.#takeAnnotation(each)
    if (spec.warmUpMs > 0)
      this.#addBand({
        id: 'warm-up',
        kind: 'warm-up',
        label: 'warm-up',
        detail: 'in no total',
        fromMs: 0,
        toMs: spec.warmUpMs,
      })
    if (state === 'running' && !this.#bands.has(`stage-${stage}`)) this.#beginStage(spec, stage, elapsedMs)
  }

  #takeState(event: Extract<RunEvent, { type: 'state' }>, view: RunView, atMs: number): void {
    const isNew = event.state !== view.state
    if (isNew && event.state !== 'preparing' && event.state !== 'ready') {
      const why = event.note === '' || event.note === tearDownNote ? '' : `: ${event.note}`
      const label = event.note === tearDownNote ? 'load is over' : event.state
      this.#mark('state', atMs, `${label}${why}`, 'broker')
    }
    const { spec } = view
    if (event.state !== 'running' || spec === null) return
    if (isNew) {
      // The first stages of all scenarios begin with the run.
      for (const { number, place, scenario } of view.stages)
        if (place === 0) this.#beginStage(spec, number, atMs + scenario.startMs)
    }
    if (!this.#bands.has(`stage-${event.stage}`)) this.#beginStage(spec, event.stage, atMs)
  }

  #beginStage({ profile }: NonNullable<RunView['spec']>, number: number, atMs: number): void {
    let first = 0
    for (const { name, stages } of profile.scenarios) {
      const place = number - first
      first += stages.length
      const model = stages[place]
      if (place < 0 || model === undefined) continue
      if (stages.length === 1) return
      const whose = profile.scenarios.length > 1 ? `${name}: ` : ''
      this.#closeBand(`stage of ${name}`, atMs)
      this.#openBand(`stage of ${name}`, {
        id: `stage-${number}`,
        kind: 'stage',
        label: `${whose}stage ${place + 1} of ${stages.length}`,
        detail: stageText(model),
        fromMs: atMs,
        toMs: null,
      })
      return
    }
  }

  #takeAgent(agent: AgentView, note: string, view: RunView, atMs: number): void {
    const before = view.agents.get(agentKey(agent.id, agent.incarnation))?.state
    if (before === agent.state) return
    const isBad = agent.state === 'suspect' || agent.state === 'lost' || agent.state === 'fenced'
    if (isBad)
      this.#mark('agent', atMs, `${agent.id} is ${agent.state}${note === '' ? '' : `: ${note}`}`, agent.host)
    else if (before === 'suspect') this.#mark('agent', atMs, `${agent.id} is back`, agent.host)
    // An agent that comes in mid-run, under a name that was lost.
    else if (before === undefined && view.state === 'running')
      this.#mark('agent', atMs, `${agent.id} has joined`, agent.host)
  }

  #takeControl(event: Extract<RunEvent, { type: 'control' }>, view: RunView): void {
    const { scenario, target, paused, by, elapsedMs } = event
    const several = (view.spec?.profile.scenarios.length ?? 1) > 1
    const whose = several ? `${scenario}: ` : ''
    const model = view.spec?.profile.scenarios
      .find(({ name }) => name === scenario)
      ?.stages.find(({ type }) => type === 'externally-controlled')
    const isRate = model?.type === 'externally-controlled' && model.controls === 'rate'
    const before = view.controls.get(scenario)
    const height = isRate ? perSecond(target) : `${target} user${target === 1 ? '' : 's'}`
    const text = paused ? 'paused' : before?.paused === true ? `goes on with ${height}` : `set to ${height}`
    this.#mark('control', elapsedMs, `${whose}${text}`, by)
    const key = `pause of ${scenario}`
    if (!paused) this.#closeBand(key, elapsedMs)
    else if (!this.#open.has(key))
      this.#openBand(key, {
        id: `paused-${this.#begun++}`,
        kind: 'paused',
        label: several ? `${scenario} is paused` : 'paused',
        detail: `by ${by}`,
        fromMs: elapsedMs,
        toMs: null,
      })
  }

  #takeAnnotation(event: NoteEvent | FaultEvent): void {
    if (event.type === 'note') return this.#mark('note', event.elapsedMs, event.text, event.source)
    const key = `fault ${event.id}`
    if (event.state === 'ends') return this.#closeBand(key, event.elapsedMs)
    this.#closeBand(key, event.elapsedMs)
    this.#openBand(key, {
      id: `fault-${this.#begun++}`,
      kind: 'fault',
      label: event.name,
      detail: event.detail,
      fromMs: event.elapsedMs,
      toMs: null,
    })
  }

  #isKnown(event: NoteEvent | FaultEvent): boolean {
    if (event.type === 'note')
      return this.#marks.some(
        ({ kind, atMs, label, source }) =>
          kind === 'note' && atMs === event.elapsedMs && label === event.text && source === event.source,
      )
    if (event.state === 'ends') return !this.#open.has(`fault ${event.id}`)
    return [...this.#bands.values()].some(
      ({ kind, label, fromMs }) => kind === 'fault' && label === event.name && fromMs === event.elapsedMs,
    )
  }

  #mark(kind: Mark['kind'], atMs: number, label: string, source: string): void {
    this.#marks.push({ kind, atMs, label, source })
    if (this.#marks.length > most) this.#marks = this.#marks.slice(-most)
    this.marksChanged = true
  }

  #openBand(key: string, band: Band): void {
    this.#open.set(key, band)
    this.#addBand(band)
  }

  #closeBand(key: string, atMs: number): void {
    const band = this.#open.get(key)
    if (band === undefined) return
    this.#open.delete(key)
    band.toMs = Math.max(band.fromMs, atMs)
    this.bandsChanged = true
  }

  #addBand(band: Band): void {
    this.#bands.set(band.id, band)
    this.bandsChanged = true
    for (const [id, oldest] of this.#bands) {
      if (this.#bands.size <= most) return
      this.#bands.delete(id)
      for (const [key, open] of this.#open) if (open === oldest) this.#open.delete(key)
    }
  }
}
