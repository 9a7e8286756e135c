import type { TargetOptions } from '../../context.ts'
import { HttpOrigin } from './http-origin.ts'

/** What the users of a load thread share where the policy is `shared`. */
class SharedOrigins {
  readonly #target: TargetOptions
  readonly #origins = new Map<string, HttpOrigin>()
  users = 0

  constructor(target: TargetOptions) {
    this.#target = target
  }

  origin(origin: string): HttpOrigin {
    let known = this.#origins.get(origin)
    if (known === undefined) {
      known = new HttpOrigin(origin, this.#target)
      this.#origins.set(origin, known)
    }
    return known
  }

  close(): void {
    for (const origin of this.#origins.values()) origin.close()
  }
}

const pools = new Map<TargetOptions, SharedOrigins>()

/** The pool of all users of this thread that have the same target. Each that takes it must let go of it. */
export function joinPool(target: TargetOptions): SharedOrigins {
  let pool = pools.get(target)
  if (pool === undefined) {
    pool = new SharedOrigins(target)
    pools.set(target, pool)
  }
  pool.users++
  return pool
}

/** With the last user its connections go. */
export function leavePool(target: TargetOptions): void {
  const pool = pools.get(target)
  if (pool === undefined || --pool.users > 0) return
  pools.delete(target)
  pool.close()
}

export type { SharedOrigins }
