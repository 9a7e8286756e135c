import type { Band, RunModel } from '../../src/model.ts'
import type { Happening } from '../view/time-chart.ts'

const shownKinds: ReadonlySet<Band['kind']> = new Set<Band['kind']>(['fault', 'paused', 'warm-up'])

/** What happened in either run, by the time since its start, each named by its run. Pure. */
export function happeningOfBoth(before: RunModel, after: RunModel): Required<Happening> {
  const runs = [
    { word: 'before', model: before },
    { word: 'after', model: after },
  ]
  const bands = runs.map(({ word, model }) =>
    model.bands
      .filter(({ kind }) => shownKinds.has(kind))
      .map((band) => ({
        ...band,
        id: `${word} ${band.id}`,
        label: `${word}: ${band.label}`,
        // What goes on in one run ends with what is known of that run.
        toMs: band.toMs ?? Math.max(band.fromMs, model.head.elapsedMs),
      })),
  )
  const later = new Set<Band>(bands[1])
  return {
    bands: bands.flat(),
    marks: runs.flatMap(({ word, model }) =>
      model.marks
        .filter(({ kind }) => kind !== 'state')
        .map((mark) => ({ ...mark, label: `${word}: ${mark.label}` })),
    ),
    laneOf: (band) => (later.has(band) ? 1 : 0),
  }
}
