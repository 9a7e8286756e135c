import type { OutputStream } from '../world.ts'
import { BarDisplay } from './bar-display.ts'
import { silentDisplay } from './display.ts'
import type { Display } from './display.ts'
import { PlainDisplay } from './plain-display.ts'

/** Live on a terminal, a line now and then elsewhere, nothing when nobody wants to see it. */
export function openDisplay(stream: OutputStream, quiet: boolean): Display {
  if (quiet) return silentDisplay
  return stream.isTTY ? new BarDisplay(stream) : new PlainDisplay(stream)
}
