import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModule } from '../../src/custom/load-modules.ts'
import { readConfigFile } from '../../src/config/config-file.ts'

describe('reading a configuration file', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'chaos-config-'))
    await mkdir(join(directory, 'etc'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const write = (name: string, text: string) => writeFile(join(directory, 'etc', name), text)

  it('takes paths from where it is, and knows the faults of its modules', async () => {
    await write(
      'mine.mjs',
      `export const still = {
        type: 'of_a_file', summary: 'nothing', attributes: {}, units: ['connection'],
        stage: (flow) => ({ onBytes: (bytes) => flow.pass(bytes), onEnd: () => flow.end() }),
      }`,
    )
    await write(
      'proxies.yaml',
      `
events: events.ndjson
modules: mine.mjs
proxies:
  a:
    backend: tls://localhost:1
    tls: { cert: server.pem, key: /absolute/key.pem, ca: "-----BEGIN CERTIFICATE-----", clientCert: "\${NAME}.pem" }
    faults: [{ fault: of_a_file }]
`,
    )
    const config = await readConfigFile('etc/proxies.yaml', { directory, environment: { NAME: 'client' } })
    const module = await loadModule('etc/mine.mjs', directory)
    module.unload()
    assert.equal(config.events, join(directory, 'etc', 'events.ndjson'))
    assert.deepEqual(config.proxies[0]!.tls, {
      cert: join(directory, 'etc', 'server.pem'),
      key: '/absolute/key.pem',
      ca: '-----BEGIN CERTIFICATE-----',
      clientCert: join(directory, 'etc', 'client.pem'),
    })
    assert.equal(config.proxies[0]!.faults![0]!.type, 'of_a_file')
  })

  it('says which file cannot be read', async () => {
    const code = 'CHAOS_CONFIG'
    await assert.rejects(readConfigFile('none.yaml', { directory }), {
      code,
      message: /^cannot read none\.yaml: ENOENT/,
    })
    await assert.rejects(readConfigFile('etc', { directory }), { code, message: /^cannot read etc: EISDIR/ })
    await write('bad.yaml', 'proxies: 5')
    await assert.rejects(readConfigFile('etc/bad.yaml', { directory }), {
      code,
      message: 'bad.yaml:1:10: proxies must be a map of names and values',
    })
    await write('large.yaml', `#${' '.repeat(11 * 2 ** 20)}`)
    await assert.rejects(readConfigFile('etc/large.yaml', { directory }), {
      code,
      message: /more than 10 MiB/,
    })
    await write('modules.yaml', 'modules: [gone.mjs]')
    await assert.rejects(readConfigFile('etc/modules.yaml', { directory }), {
      code: 'CHAOS_MODULE',
      message: /^gone\.mjs does not load: Cannot find module/,
    })
  })
})
