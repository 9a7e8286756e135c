import { oneOf } from '../attributes.ts'
import { defineFault } from '../faults/definition.ts'
import type { Flow, Stage } from '../faults/stage.ts'
import type { Random } from '../random.ts'

interface TcpErrorAttributes {
  mode: 'replace' | 'inject'
}

/** How many bytes are injected. */
const injected = 100

export const tcpError = defineFault<TcpErrorAttributes>({
  type: 'tcp_error',
  summary: 'random bytes in place of what the backend sends, or among it',
  attributes: {
    mode: oneOf(['replace', 'inject'], {
      initial: 'replace',
      help: 'as many random bytes in place of each, or 100 of them in the middle of the first bytes',
    }),
  },
  units: ['connection', 'request', 'chunk'],
  treat({ bytes, random }, { mode }) {
    // A chunk is replaced in its own direction, of other units the reply.
    if (bytes === null)
      return { replyStage: (flow) => (mode === 'replace' ? new Noise(flow) : new Injection(flow)) }
    const reply = mode === 'replace' ? random.bytes(bytes.length) : withInjection(bytes, random)
    return { reply: { bytes: reply, backend: 'asked', closes: false } }
  },
})

class Noise implements Stage {
  readonly #flow: Flow

  constructor(flow: Flow) {
    this.#flow = flow
  }

  onBytes(bytes: Buffer): void {
    this.#flow.pass(this.#flow.random.bytes(bytes.length))
  }

  onEnd(): void {
    this.#flow.end()
  }
}

class Injection implements Stage {
  readonly #flow: Flow
  #isDone = false

  constructor(flow: Flow) {
    this.#flow = flow
  }

  onBytes(bytes: Buffer): void {
    this.#flow.pass(this.#isDone ? bytes : withInjection(bytes, this.#flow.random))
    this.#isDone = true
  }

  onEnd(): void {
    this.#flow.end()
  }
}

function withInjection(bytes: Buffer, random: Random): Buffer {
  const middle = bytes.length >> 1
  return Buffer.concat([bytes.subarray(0, middle), random.bytes(injected), bytes.subarray(middle)])
}
