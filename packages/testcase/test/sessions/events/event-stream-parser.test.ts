import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  EventStreamParser,
  EventTooLong,
  type ServerEvent,
} from '../../../src/sessions/events/event-stream-parser.ts'

/** The standard's words, applied to the whole text at once. */
function interpret(bytes: Buffer): { events: ServerEvent[]; lastEventId: string; retryMs: number | null } {
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/)
  lines.pop()
  const events: ServerEvent[] = []
  let [data, event, id, lastEventId]: [string[], string, string, string] = [[], '', '', '']
  let retryMs: number | null = null
  for (const line of lines) {
    if (line === '') {
      lastEventId = id
      if (data.length > 0) events.push({ event: event || 'message', data: data.join('\n'), id })
      ;[data, event] = [[], '']
      continue
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!
    if (field === 'data') data.push(value ?? '')
    if (field === 'event') event = value ?? ''
    if (field === 'id' && !(value ?? '').includes('\0')) id = value ?? ''
    if (field === 'retry' && /^\d+$/.test(value ?? '')) retryMs = Number(value)
  }
  return { events, lastEventId, retryMs }
}

function parse(chunks: Uint8Array[]) {
  const parser = new EventStreamParser('')
  const events = chunks.flatMap((chunk) => parser.push(chunk))
  return { events, lastEventId: parser.lastEventId, retryMs: parser.retryMs }
}

const pieces = fc.constantFrom(
  'data',
  'event',
  'id',
  'retry',
  ':',
  ': ',
  ' ',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  'data: x',
  'id: 7\0',
  '1500',
  'é€😀',
  '\uFEFF',
  'dataset',
)

describe('EventStreamParser', () => {
  it('reads the examples of the standard', () => {
    const examples: [string, Partial<ServerEvent>[]][] = [
      ['data: YHOO\ndata: +2\ndata: 10\n\n', [{ data: 'YHOO\n+2\n10' }]],
      [
        ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
        [
          { data: 'first event', id: '1' },
          { data: 'second event', id: '' },
          { data: ' third event', id: '' },
        ],
      ],
      ['data\n\ndata\ndata\n\ndata:', [{ data: '' }, { data: '\n' }]],
      ['data:test\n\ndata: test\n\n', [{ data: 'test' }, { data: 'test' }]],
      [
        'event: add\ndata: 73857293\n\nevent: remove\n\ndata: x\n\n',
        [{ event: 'add' }, { event: 'message' }],
      ],
    ]
    for (const [text, expected] of examples) {
      const { events } = parse([Buffer.from(text)])
      assert.equal(events.length, expected.length, text)
      assert.deepEqual(
        events.map((event, index) => ({ ...event, ...expected[index] })),
        events,
      )
    }
  })

  it('reads the same from bytes that are split anywhere, as the standard reads the whole', () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 40 }),
        fc.array(fc.nat(200), { maxLength: 12 }),
        (parts, cuts) => {
          const bytes = Buffer.from(parts.join(''))
          const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
          const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
          const expected = interpret(bytes)
          assert.deepEqual(parse(chunks), expected)
          assert.deepEqual(parse([...bytes].map((byte) => Uint8Array.of(byte))), expected)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('refuses an event without end', () => {
    const parser = new EventStreamParser('')
    const line = Buffer.from(`data: ${'x'.repeat(1024 * 1024)}\n`)
    assert.throws(() => {
      for (let count = 0; count < 17; count++) parser.push(line)
    }, EventTooLong)
    const endless = new EventStreamParser('')
    assert.throws(() => {
      for (let count = 0; count < 17; count++) endless.push(line.subarray(0, -1))
    }, EventTooLong)
  })

  it('begins with the id that it is given', () => {
    const parser = new EventStreamParser('17')
    assert.deepEqual(parser.push(Buffer.from('data: x\n\n')), [{ event: 'message', data: 'x', id: '17' }])
  })
})
