import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseEventLine } from '../../src/external/event-line.ts'

describe('event line of an external runner', () => {
  it('takes ordinary output for what it is', () => {
    for (const line of ['hello', '{"json": true}', '{broken', '', '[1]'])
      assert.equal(parseEventLine(line), null, line)
  })

  it('reads a hit and judges it by its status', () => {
    const line = '{"loads":"hit","name":"/a","method":"GET","status":200,"ms":1.5,"bytesIn":7}'
    assert.deepEqual(parseEventLine(line), {
      kind: 'hit',
      name: '/a',
      method: 'GET',
      status: '200',
      failed: false,
      ms: 1.5,
      bytesIn: 7,
      bytesOut: 0,
    })
    const failed = (status: unknown) => {
      const event = parseEventLine(JSON.stringify({ loads: 'hit', name: 'x', status, ms: 1 }))
      return event?.kind === 'hit' && event.failed
    }
    assert.equal(failed(404), true)
    assert.equal(failed('timeout'), true)
    assert.equal(failed(302), false)
  })

  it('reads a note, with tags or without', () => {
    assert.deepEqual(parseEventLine('{"loads":"note","text":"cache emptied","tags":{"node":"db-2"}}'), {
      kind: 'note',
      text: 'cache emptied',
      tags: { node: 'db-2' },
    })
    for (const line of ['{"loads":"note","text":"x"}', '{"loads":"note","text":"x","tags":null}'])
      assert.deepEqual(parseEventLine(line), { kind: 'note', text: 'x', tags: {} })
    assert.throws(() => parseEventLine('{"loads":"note"}'), /field 'text' must be text/)
    for (const tags of ['1', '"a"', '["a"]', '{"a":1}', '{"a":{}}'])
      assert.throws(
        () => parseEventLine(`{"loads":"note","text":"x","tags":${tags}}`),
        /field 'tags' must be/,
      )
  })

  it('names the field that is wrong', () => {
    assert.throws(() => parseEventLine('{"loads":"hit","name":"/a","status":200}'), /field 'ms'/)
    assert.throws(() => parseEventLine('{"loads":"hit","name":"/a","status":200,"ms":-1}'), /field 'ms'/)
    assert.throws(() => parseEventLine('{"loads":"gauge","name":"a","value":"x"}'), /field 'value'/)
    assert.throws(() => parseEventLine('{"loads":"nothing"}'), /unknown event 'nothing'/)
  })

  it('throws nothing but errors about fields, whatever comes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (fields, event) => {
        try {
          parseEventLine(JSON.stringify({ ...fields, loads: event }))
        } catch (error) {
          assert.match((error as Error).message, /field|unknown event/)
        }
      }),
    )
  })
})
