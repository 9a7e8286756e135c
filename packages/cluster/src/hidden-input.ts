import { randomUUID } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A descriptor that a child can read `text` from, as a stream or by opening `/dev/fd/N`. Text passed so is in nobody's
 * argument list or environment.
 *
 * It is a file without a name, since the pipes that Node makes for a child are sockets, which Linux refuses to open
 * through `/dev/fd`. The caller closes the descriptor once the child has it.
 */
export function openHiddenInput(text: string): number {
  const file = join(tmpdir(), `loads-input-${randomUUID()}`)
  const descriptor = openSync(file, 'wx+', 0o600)
  try {
    unlinkSync(file)
    // Written at a position: the child shares the file offset, which must stay at 0.
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length;) {
      done += writeSync(descriptor, bytes, done, bytes.length - done, done)
    }
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
