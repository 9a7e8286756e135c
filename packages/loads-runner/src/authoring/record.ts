import { basename, extname } from 'node:path'
import { plural } from '../console/figures.ts'
import { oneLine } from '../console/text-table.ts'
import { UsageError } from '../errors.ts'
import type { World } from '../world.ts'
import { give, recordingNotes } from './import-commands.ts'
import { checkOutput } from './output-file.ts'
import { planRecording } from './plan-recording.ts'
import { RecordingProxy } from './recording-proxy.ts'

export interface RecordOptions {
  port: number
  host: string
  target: string | null
  output: string
  insecure: boolean
  all: boolean
  pauses: boolean
  force: boolean
}

/** `loads record`: records until it is told to stop, then writes the test. */
export async function recordCommand(
  world: Pick<World, 'cwd' | 'stdout' | 'stderr' | 'onSignal'>,
  options: RecordOptions,
): Promise<number> {
  const { host, port, target, insecure, output } = options
  await checkOutput(world.cwd, output, options.force)
  const stopped = untilStopped(world)
  const proxy = new RecordingProxy({
    target: target === null ? null : new URL(target),
    insecure,
    onLine: (line) => world.stdout.write(`${oneLine(line)}\n`),
  })
  try {
    const address = await proxy.listen(host, port).catch((error: Error) => {
      throw new UsageError(`cannot listen on ${host}:${port}: ${error.message}; choose another with --port`)
    })
    world.stdout.write(
      target === null
        ? `recording; set ${address} as HTTP proxy (curl -x ${address} http://...). Ctrl-C writes ${output}\n`
        : `recording; open ${address}${new URL(target).pathname} in place of ${target}. Ctrl-C writes ${output}\n`,
    )
    await stopped.signal
  } finally {
    await proxy.close()
    stopped.close()
  }
  const name = basename(output, extname(output)).replace(/^recorded$/, 'recording')
  const result = planRecording(proxy.recorded, { ...options, source: target ?? 'a recording', name })
  if (result.requests === 0) {
    const seen = proxy.recorded.length
    world.stdout.write(
      seen === 0
        ? 'nothing was recorded; no file is written\n'
        : `all of the ${plural(seen, 'request')} load assets of pages (--all keeps them); no file is written\n`,
    )
    return 0
  }
  return give(world, result.plan, options, recordingNotes(result), [...result.warnings, ...proxy.warnings])
}

function untilStopped({ onSignal }: Pick<World, 'onSignal'>): { signal: Promise<void>; close: () => void } {
  let close = () => {}
  const signal = new Promise<void>((resolve) => {
    close = onSignal(() => resolve())
  })
  return { signal, close: () => close() }
}
