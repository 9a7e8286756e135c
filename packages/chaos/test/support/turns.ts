import { setTimeout as wait } from 'node:timers/promises'

/**
 * How often a timer of 5 ms fires, one after the other, until a promise is settled. Who waits for nothing but the event loop needs
 * few of them on any machine; a process that stood still for seconds does not count more.
 */
export async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let isOver = false
  const settled = (): void => void (isOver = true)
  promise.then(settled, settled)
  let turns = 0
  while (!isOver) {
    await wait(5)
    turns++
  }
  await promise
  return turns
}
