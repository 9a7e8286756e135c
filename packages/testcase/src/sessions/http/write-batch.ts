/** Something that has a request to write. */
export interface Writer {
  writeNow(): void
}

let waiting: Writer[] = []
let spare: Writer[] = []

/**
 * Writes at the end of this turn of the event loop, together with all others of the turn: answers that came together
 * are read one after the other, and only then does the next request of each user go out. So the target is woken once
 * for many requests instead of once for each, which is a sixth of the throughput of one processor where it waits on
 * another (`npm run bench -- http-peers`).
 */
export function writeAfterTurn(writer: Writer): void {
  if (waiting.length === 0) setImmediate(writeAll)
  waiting.push(writer)
}

function writeAll(): void {
  const writers = waiting
  waiting = spare
  for (let index = 0; index < writers.length; index++) writers[index]!.writeNow()
  writers.length = 0
  spare = writers
}
