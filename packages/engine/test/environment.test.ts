import assert from 'node:assert/strict'
import { lendEnvironment } from '../src/environment.ts'

describe('lendEnvironment', () => {
  it('sets variables and puts back what was there', () => {
    process.env['LENT_OLD'] = 'old'
    delete process.env['LENT_NEW']
    const giveBack = lendEnvironment({ LENT_OLD: 'lent', LENT_NEW: 'lent' })
    assert.deepEqual([process.env['LENT_OLD'], process.env['LENT_NEW']], ['lent', 'lent'])
    giveBack()
    assert.deepEqual([process.env['LENT_OLD'], process.env['LENT_NEW']], ['old', undefined])
    delete process.env['LENT_OLD']
  })
})
