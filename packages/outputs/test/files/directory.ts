import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OutputHost } from '../../src/host.ts'
import type { Output, OutputHealth } from '../../src/output.ts'
import { fixtureRun, type FixtureOptions } from '../../src/testing.ts'
import { enoughMs, environmentOf, quickTimes } from '../recording-output.ts'

/** A directory that is gone after each test. */
export class TemporaryDirectory {
  path = ''

  async make(): Promise<void> {
    this.path = await mkdtemp(join(tmpdir(), 'loads-outputs-'))
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }

  file(name: string): string {
    return join(this.path, name)
  }

  read(name: string): Promise<string> {
    return readFile(this.file(name), 'utf8')
  }
}

/** Plays the fixture run into outputs. */
export async function playInto(
  outputs: Output[],
  options: FixtureOptions = {},
): Promise<{ health: OutputHealth[]; said: string[] }> {
  const said: string[] = []
  const environment = environmentOf()
  const host = new OutputHost({
    outputs,
    environment,
    onTrouble: (text) => said.push(text),
    times: quickTimes,
  })
  for (const event of fixtureRun(options)) host.take(event)
  return { health: await host.finish(enoughMs), said }
}
