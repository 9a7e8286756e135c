import assert from 'node:assert/strict'
import { Console } from 'node:console'
import { PassThrough } from 'node:stream'
import { captureLines } from '../src/captured-output.ts'

describe('captureLines', () => {
  it('takes lines, however they are cut, and gives the stream back', async () => {
    const stream = new PassThrough()
    const lines: string[] = []
    const giveBack = captureLines([stream as never], (line) => lines.push(line))
    const console = new Console(stream)
    console.log('one %d', 1)
    console.log('two\nthree')
    const umlaut = Buffer.from('ü\n')
    stream.write(umlaut.subarray(0, 1))
    stream.write(umlaut.subarray(1))
    await new Promise<void>((resolve) => stream.write('no end', () => resolve()))
    assert.deepEqual(lines, ['one 1', 'two', 'three', 'ü'])
    giveBack()
    assert.equal(lines.at(-1), 'no end')
    stream.write('through')
    assert.equal(String(stream.read()), 'through')
    assert.equal(lines.length, 5)
  })
})
