import { defineFault, type FaultDefinition } from '../../src/faults/definition.ts'
import { oneOf } from '../../src/attributes.ts'
import { defineProtocol, type Dialogue, type RequestHead, type Talk } from '../../src/protocols/protocol.ts'

interface LineErrorAttributes {
  backend: 'spared' | 'asked'
  closes: 'true' | 'false'
}

const lineError = defineFault<LineErrorAttributes>({
  type: 'line_error',
  summary: 'the line ERR',
  attributes: {
    backend: oneOf(['spared', 'asked'], { initial: 'spared', help: 'asked or not' }),
    closes: oneOf(['true', 'false'], { initial: 'false', help: 'ends or not' }),
  },
  units: ['request', 'connection'],
  treat: ({ request }, { backend, closes }) => ({
    reply: { bytes: Buffer.from(`ERR ${request.label}\n`), backend, closes: closes === 'true' },
  }),
})

/**
 * A made-up protocol: each line of the client is a request, `!` before it says that no reply follows, `~` that the rest is none
 * of this protocol; each line of the backend is a reply, one with `*` a notice that nobody asked for.
 */
class LineDialogue implements Dialogue {
  readonly #talk: Talk
  #line = ''
  #isReplying = false

  constructor(talk: Talk) {
    this.#talk = talk
  }

  fromClient(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at++) {
      const letter = String.fromCharCode(bytes[at]!)
      this.#line += letter
      if (this.#line === '~') {
        this.#talk.opaque('a tilde', bytes.subarray(at), null)
        return
      }
      if (letter !== '\n') continue
      const line = this.#line.trim()
      this.#line = ''
      this.#talk.requestBegins(headOf(line))
      // In two pieces, as longer requests come.
      this.#talk.requestBytes(Buffer.from(`${line}`))
      this.#talk.requestBytes(Buffer.from('\n'))
      this.#talk.requestEnds()
    }
  }

  fromBackend(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes.subarray(at, at + 1)
      if (!this.#isReplying) {
        this.#isReplying = true
        this.#talk.replyBegins(byte.toString() === '*' ? null : this.#talk.answering())
      }
      this.#talk.replyBytes(byte)
      if (byte[0] !== 10) continue
      this.#isReplying = false
      this.#talk.replyEnds()
    }
  }
}

function headOf(line: string): RequestHead {
  const replies = line.startsWith('!') ? 0 : 1
  return {
    label: line,
    replies,
    detail: {},
    verb: line.split(' ')[0]!.toUpperCase(),
    path: null,
    text: line,
    header: () => undefined,
  }
}

export const lines = defineProtocol({
  name: 'lines',
  summary: 'lines of text',
  error: lineError as FaultDefinition<never>,
  open: (talk) => new LineDialogue(talk),
})
