/**
 * Keeps a failed promise that a test forgot to await from bringing the process down.
 *
 * Marking each promise with `catch()` would do, but V8 leads an error's stack through the awaiting functions only while
 * one of them alone waits for the promise. So the mark is set after the error is made:
 *
 *     request() { const guard = new Guard(); return guard.keep(this.#request(guard)) }
 *     async #request(guard) { try { ... } catch (error) { throw guard.failed(error) } }
 */
export class Guard {
  #promise: Promise<unknown> | null = null
  #failed = false

  keep<T>(promise: Promise<T>): Promise<T> {
    this.#promise = promise
    if (this.#failed) promise.catch(ignore)
    return promise
  }

  failed(error: unknown): unknown {
    this.#failed = true
    this.#promise?.catch(ignore)
    return error
  }
}

function ignore(): void {}
