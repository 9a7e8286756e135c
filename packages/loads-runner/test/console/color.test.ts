import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { inColor } from '../../src/console/color.ts'

const text = 'Hits: 5\nErrors: 0\nFailures: 2\n\nAgents:\n  a 1\nVerdict: failed (seed 1)\n'
const stream = (isTTY: boolean) => ({ isTTY }) as Parameters<typeof inColor>[1]

describe('color', () => {
  it('marks what catches the eye and changes no word', () => {
    const painted = inColor(text, stream(true), {})
    assert.equal(stripVTControlCharacters(painted), text)
    const lines = painted.split('\n')
    const isPainted = (word: string) => lines.find((line) => line.includes(word))!.includes('\u001b[')
    assert.ok(isPainted('Verdict: failed') && isPainted('Failures: 2') && isPainted('Agents:'))
    assert.ok(!isPainted('Errors: 0') && !isPainted('  a 1'))
  })

  it('stays away from files, from terminals without it, and where NO_COLOR is set', () => {
    assert.equal(inColor(text, stream(false), {}), text)
    assert.equal(inColor(text, stream(true), { NO_COLOR: '1' }), text)
    assert.equal(inColor(text, stream(true), { TERM: 'dumb' }), text)
  })
})
