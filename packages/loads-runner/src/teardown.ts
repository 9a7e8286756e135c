/** What is to be undone at the end, in reverse order; one step that fails does not keep the others from running. */
export class Teardown {
  readonly #steps: { name: string; undo: () => Promise<void> }[] = []
  readonly #failed: (name: string, error: unknown) => void

  constructor(failed: (name: string, error: unknown) => void) {
    this.#failed = failed
  }

  /** Registered before the thing is started, so that a start that fails half way is undone too. */
  add(name: string, undo: () => Promise<void>): void {
    this.#steps.push({ name, undo })
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo()
      } catch (error) {
        this.#failed(step.name, error)
      }
    }
  }
}
