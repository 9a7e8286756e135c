import { FloodGate } from '@loads-runner/metrics'
import type { Annotation, FaultEvent, NoteEvent } from '@loads-runner/protocol'
import type { Clock } from './clock.ts'
import { Refusal } from './errors.ts'
import type { RunVoice } from './run-voice.ts'

/** Notes and faults that a late reader is shown. */
const maxKept = 1000
/** Notes and faults of all agents of a run, in a second. */
const agentMarksPerSecond = 20
/** Notes and faults of all operators, in a second. */
const operatorMarksPerSecond = 100
/** Observations of a run, whoever makes them, in a second; and figures in one of them. */
const observationsPerSecond = 100
const maxValues = 500

/**
 * What the processes of a run publish into its event stream, each with its time by the broker's clock. A flood of it must
 * fill neither the journal nor those who watch.
 */
export class Annotations {
  readonly #clock: Clock
  readonly #voice: RunVoice
  readonly #elapsedMs: () => number
  readonly #kept: (NoteEvent | FaultEvent)[] = []
  readonly #ofAgents = new FloodGate(agentMarksPerSecond)
  readonly #ofOperators = new FloodGate(operatorMarksPerSecond)
  readonly #observations = new FloodGate(observationsPerSecond)
  /** Counts what was refused: whoever asked knows already. */
  readonly #leftOut = new FloodGate(0)

  /** @param elapsedMs milliseconds of load so far; 0 before it */
  constructor(clock: Clock, voice: RunVoice, elapsedMs: () => number) {
    this.#clock = clock
    this.#voice = voice
    this.#elapsedMs = elapsedMs
  }

  /** Notes and faults so far, oldest first; of many the latest. */
  all(): (NoteEvent | FaultEvent)[] {
    return [...this.#kept]
  }

  /** An agent's: beyond the limits it is left out, which is said. */
  relay(agent: string, annotation: Annotation): void {
    if (this.#complaintAbout(annotation, this.#ofAgents) === null) this.#publish(agent, annotation)
    else this.#leftOut.leaveOut(1, this.#clock.monotonic())
  }

  /** An operator's. @throws {Refusal} TOO_MANY_VALUES or TOO_MANY_ANNOTATIONS */
  take(operator: string, annotation: Annotation): void {
    const complaint = this.#complaintAbout(annotation, this.#ofOperators)
    if (complaint !== null) throw complaint
    this.#publish(operator, annotation)
  }

  /** Says how many were left out, once a second at most. @param nowMs Infinity: nothing follows */
  tell(nowMs: number): void {
    const count = this.#leftOut.leftOut(nowMs)
    if (count === 0) return
    this.#voice.say(
      'warning',
      `${count} annotations of agents were left out: ${agentMarksPerSecond} notes and faults and ` +
        `${observationsPerSecond} observations per second, of ${maxValues} values each, are the most`,
    )
  }

  #complaintAbout(annotation: Annotation, marks: FloodGate): Refusal | null {
    const nowMs = this.#clock.monotonic()
    if (annotation.type !== 'observation') {
      if (marks.passes(nowMs)) return null
      return tooMany(`${operatorMarksPerSecond} notes and faults`)
    }
    const values = Object.keys(annotation.values).length
    if (values > maxValues) {
      return new Refusal(
        'TOO_MANY_VALUES',
        `an observation has ${maxValues} values at most, this one ${values}; choose what matters, or send several`,
      )
    }
    return this.#observations.passes(nowMs) ? null : tooMany(`${observationsPerSecond} observations`)
  }

  #publish(source: string, annotation: Annotation): void {
    const event = { ...annotation, at: this.#clock.now(), elapsedMs: this.#elapsedMs(), source }
    if (event.type !== 'observation') {
      this.#kept.push(event)
      if (this.#kept.length > maxKept) this.#kept.shift()
    }
    this.#voice.publish(event)
  }
}

function tooMany(what: string): Refusal {
  return new Refusal('TOO_MANY_ANNOTATIONS', `a run takes ${what} per second at most; say less, or later`, 4)
}
