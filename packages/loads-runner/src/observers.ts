import type { OutputEnvironment } from '@loads-runner/outputs'
import { UsageError } from './errors.ts'

/** What asks the target for its own figures while a run goes on. */
export interface Observers {
  start(publish: (values: Record<string, number>) => void): void
  stop(): Promise<void>
}

/**
 * Reads `--observe`.
 *
 * @throws {UsageError} with everything that is wrong with them
 */
export async function planObservers(
  texts: readonly string[],
  environment: OutputEnvironment,
): Promise<Observers | null> {
  if (texts.length === 0) return null
  const { createObserver, parseObserver } = await import('@loads-runner/outputs/observe')
  const problems: string[] = []
  const observers = texts.flatMap((text) => {
    try {
      return [createObserver(parseObserver(text), environment)]
    } catch (error) {
      if (!String((error as { code?: unknown }).code).startsWith('OUTPUT_')) throw error
      const { message } = error as Error
      problems.push(message.startsWith('--observe') ? message : `--observe: ${message}`)
      return []
    }
  })
  if (problems.length > 0) throw new UsageError(problems)
  return {
    start: (publish) => {
      for (const observer of observers) observer.start(publish)
    },
    stop: async () => {
      await Promise.all(observers.map((observer) => observer.stop()))
    },
  }
}
