import type { TimeAxis } from './time-axis.ts'

/** A chart with the focus: arrows move the cursor, with shift what is shown; + - 0 zoom. */
export function chartKeys(
  event: KeyboardEvent,
  axis: TimeAxis,
  chart: { cursorMs: () => number | null; step: (by: number) => void },
): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  switch (event.key) {
    case 'ArrowLeft':
    case 'ArrowRight': {
      const by = event.key === 'ArrowLeft' ? -1 : 1
      if (event.shiftKey) axis.pan(by / 4)
      else chart.step(by)
      break
    }
    case '+':
    case '=':
      axis.scale(0.5, chart.cursorMs())
      break
    case '-':
      axis.scale(2, chart.cursorMs())
      break
    case '0':
    case 'Escape':
      axis.reset()
      break
    default:
      return
  }
  event.preventDefault()
}
