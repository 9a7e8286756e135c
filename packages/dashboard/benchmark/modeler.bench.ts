/**
 * What it costs to keep the model of a long run with many series: milliseconds per second of the run (with one update
 * each half second, as for any number of pages), and memory.
 *
 *     node --expose-gc --import tsx packages/dashboard/benchmark/modeler.bench.ts [series] [minutes]
 */
import { RunModeler } from '../src/run-modeler.ts'
import { ScriptedRun } from '../test/support/scripted-run.ts'

const [series = 1_000, minutes = 120] = process.argv.slice(2).map(Number)
const run = new ScriptedRun({ series, agents: 10 })
const clock = { ms: 0 }
const modeler = new RunModeler({ now: () => clock.ms })
const heap = () => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}
for (const event of run.begin()) modeler.apply(event)

let applyMs = 0
let updateMs = 0
let updateBytes = 0
let worstMs = 0
for (let minute = 1; minute <= minutes; minute++) {
  for (let second = 0; second < 60; second++) {
    const commit = run.second()
    clock.ms += 1_000
    const began = performance.now()
    modeler.apply(commit)
    const applied = performance.now()
    const json = JSON.stringify(modeler.update())
    const updated = performance.now()
    applyMs += applied - began
    updateMs += updated - applied
    updateBytes += json.length
    worstMs = Math.max(worstMs, updated - began)
  }
  if (minute % 10 !== 0 && minute !== 1) continue
  const seconds = minute * 60
  const perSecond = (sum: number) => (sum / seconds).toFixed(2)
  console.log(
    `${minute} min: ${perSecond(applyMs)} ms to take in and ${perSecond(updateMs)} ms to tell per second of the run, ` +
      `${Math.round(updateBytes / seconds / 1000)} kB per second and page, worst ${worstMs.toFixed(0)} ms; ` +
      `heap ${(heap() / 1e6).toFixed(0)} MB (the script of the run included), model ${(JSON.stringify(modeler.model()).length / 1e6).toFixed(2)} MB, ` +
      `${modeler.sizes.moments} moments, ${modeler.sizes.series} series`,
  )
}
