/** `Ramp up`, `ramp_up` and `ramp-up` are one phase. */
export function foldedPhase(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '-')
}

/** Scenarios go on side by side; of the other phases of a load each ends the one before. */
export function isScenario(phase: string): boolean {
  return phase.startsWith('scenario-')
}
