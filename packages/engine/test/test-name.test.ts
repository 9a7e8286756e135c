import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveTestName } from '../src/test-name.ts'

describe('test name', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'names-'))
    await mkdir(join(dir, 'shop'))
    for (const file of ['example.ts', 'my.example.mjs', 'shop/cart.ts', 'shop.ts'])
      await writeFile(join(dir, file), '')
  })
  after(() => rm(dir, { recursive: true }))

  const address = async (name: string) => {
    const { file, className, method, parameters } = await resolveTestName(name, dir)
    return [file.slice(dir.length + 1), className, method, parameters]
  }

  it('splits module, class and method', async () => {
    assert.deepEqual(await address('example'), ['example.ts', null, null, null])
    assert.deepEqual(await address('example.TestA'), ['example.ts', 'TestA', null, null])
    assert.deepEqual(await address('example.TestA.test_b'), ['example.ts', 'TestA', 'test_b', null])
  })

  it('tries a file of that very name before dots are folders', async () => {
    assert.deepEqual(await address('my.example.TestA'), ['my.example.mjs', 'TestA', null, null])
    assert.deepEqual(await address('shop.cart.TestA.test_b'), ['shop/cart.ts', 'TestA', 'test_b', null])
    assert.deepEqual(await address('shop.TestA'), ['shop.ts', 'TestA', null, null])
  })

  it('takes the file form with parameters', async () => {
    assert.deepEqual(await address('shop/cart.ts::TestA.test_b@{"size":3}'), [
      'shop/cart.ts',
      'TestA',
      'test_b',
      { size: 3 },
    ])
    assert.deepEqual(await address('example.ts'), ['example.ts', null, null, null])
  })

  it('names the nearest modules when there is none', async () => {
    await assert.rejects(address('exmaple.TestA'), (error: Error & { exitCode: number }) => {
      assert.match(error.message, /did you mean example/)
      assert.equal(error.exitCode, 3)
      return true
    })
  })

  it('refuses what cannot be a name', async () => {
    await assert.rejects(address('example..x'), { code: 'TEST_NAME_INVALID', exitCode: 2 })
    await assert.rejects(address('example.A.b@{x'), { code: 'TEST_NAME_INVALID', exitCode: 2 })
    await assert.rejects(address('example.A.b.c'), { exitCode: 3, message: /a class and a method/ })
    await assert.rejects(address('example.ts::A.b.c'), { exitCode: 3, message: /a class and a method/ })
  })
})
