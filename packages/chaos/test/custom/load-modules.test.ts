import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModule } from '../../src/custom/load-modules.ts'
import { knownFaults } from '../../src/faults/registry.ts'
import { findProtocol, knownProtocols } from '../../src/protocols/registry.ts'

describe('a module with faults', () => {
  let directory: string
  beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'chaos-custom-'))))
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const load = async (text: string, name = 'mine.mjs') => {
    await writeFile(join(directory, name), text)
    return loadModule(name, directory)
  }
  const types = () => knownFaults().map(({ type }) => type)
  const problem = async (text: string, code = 'CHAOS_MODULE') => {
    const before = [knownFaults().length, knownProtocols().length]
    let message = ''
    await assert.rejects(load(text, `${problems++}.mjs`), (error: Error & { code: string }) => {
      assert.equal(error.code, code)
      message = error.message
      return true
    })
    assert.deepEqual([knownFaults().length, knownProtocols().length], before)
    return message.replace(/^\d+\.mjs:? /, '')
  }
  let problems = 0

  const fault = (fields: string) =>
    `{ type: 'mine', summary: 'mine', attributes: {}, units: ['connection'], stage: () => ({}), ${fields} }`

  it('makes all of them known, once', async () => {
    const text = `
      const one = { ...${fault("type: 'one_of_two'")} }
      export { one }
      export default ${fault("type: 'two_of_two', units: ['request', 'chunk'], stage: undefined, treat: () => ({})")}
      export const lines = { name: 'lines', summary: 'lines', open: null, error: ${fault("type: 'lines_error'")} }
      export const helper = () => 1, text = 'a', list = [1], nothing = null, other = { a: 1 }
    `
    const before = types()
    const { unload, ...found } = await load(text)
    assert.deepEqual(found, { file: 'mine.mjs', faults: ['two_of_two', 'one_of_two'], protocols: ['lines'] })
    const again = await loadModule('mine.mjs', directory)
    assert.deepEqual(again.faults, found.faults)
    for (const type of ['one_of_two', 'two_of_two', 'lines_error'])
      assert.equal(types().filter((each) => each === type).length, 1)
    assert.equal(findProtocol('lines').error.type, 'lines_error')
    again.unload()
    unload()
    assert.deepEqual(types(), before)
    assert.throws(() => findProtocol('lines'))
  })

  it('names the export that is wrong, and what is right', async () => {
    const of = (fields: string) => problem(`export const mine = ${fault(fields)}`)
    assert.match(await of("type: 'Mine!'"), /^its export mine is no fault: type must be a word of lower case/)
    assert.match(await of("summary: ''"), /summary must be/)
    assert.match(await of('attributes: []'), /attributes must be an object/)
    assert.match(await of('attributes: { a: 5 }'), /attribute a must be made by whole/)
    assert.match(await of('units: []'), /units must be a list of connection, request, chunk/)
    assert.match(await of("units: ['byte']"), /units must be/)
    assert.match(await of('stage: 5'), /must have one function of stage, treat, connect, and has stage/)
    assert.match(await of('treat: () => ({})'), /and has stage and treat/)
    assert.match(await of('stage: undefined'), /and has none/)
    assert.match(await of("units: ['request']"), /the unit of a fault with stage is the connection/)
    assert.match(
      await problem(`export default { name: 'p', summary: 's', open: null, error: ${fault('units: 5')} }`),
      /^its export default is no protocol: its error is no fault: units must be/,
    )
    assert.match(await problem("export const p = { name: 'P', open: null }"), /no protocol: name must be/)
  })

  it('must have one, and one that is new', async () => {
    assert.match(
      await problem('export const a = 1'),
      /exports neither a fault nor a protocol; write export const/,
    )
    assert.match(
      await problem(`export const mine = ${fault("type: 'latency'")}`, 'CHAOS_EXISTS'),
      /^there is a fault latency already; give this one another type/,
    )
    assert.match(
      await problem(`export const a = ${fault('')}; export const b = ${fault('')}`, 'CHAOS_EXISTS'),
      /^there is a fault mine already/,
    )
    assert.match(
      await problem(
        `export const p = { name: 'tcp', summary: 's', open: null, error: ${fault('')} }`,
        'CHAOS_EXISTS',
      ),
      /^there is a protocol tcp already/,
    )
  })

  it('says why it does not load', async () => {
    assert.match(await problem('export const = 1'), /^does not load: .*(Unexpected|ERROR|error)/s)
    assert.match(await problem("throw new Error('no mood')"), /^does not load: no mood/)
    assert.match(await problem('throw null'), /^does not load: null/)
    await assert.rejects(loadModule('gone.mjs', directory), {
      code: 'CHAOS_MODULE',
      message: /^gone\.mjs does not load/,
    })
  })
})
