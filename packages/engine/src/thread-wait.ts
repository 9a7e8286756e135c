import type { SessionThread, ThreadStatus } from './session-thread.ts'

/** Waits, for one thing at a time, until threads of a session have all said the same. */
export class ThreadWait {
  #waiting: { isReady(): boolean; resolve(): void; reject(error: Error): void } | null = null

  get isWaiting(): boolean {
    return this.#waiting !== null
  }

  until(threads: readonly SessionThread[], status: ThreadStatus): Promise<void> {
    return new Promise((resolve, reject) => {
      const isReady = () => threads.every((thread) => thread.status === status)
      this.#waiting = { isReady, resolve, reject }
      this.check()
    })
  }

  /** A thread has said something. */
  check(): void {
    if (this.#waiting?.isReady() !== true) return
    this.#waiting.resolve()
    this.#waiting = null
  }

  /** What is waited for will not come. @returns false when nobody waits */
  fail(error: Error): boolean {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.reject(error)
    return waiting !== null
  }
}
