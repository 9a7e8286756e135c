import assert from 'node:assert/strict'

import type { Dialogue, Protocol, RequestHead, Talk } from '../../src/protocols/protocol.ts'

export interface ToldRequest {
  head: RequestHead
  bytes: Buffer
  ended: boolean
}

export interface ToldReply {
  /** Null: nobody asked. */
  to: RequestHead | null
  bytes: Buffer
  ended: boolean
}

/**
 * Writes down what a dialogue tells, and fails when it is told out of turn: bytes outside of a message, a message within
 * another, anything after `opaque`. Every request counts as sent to the backend when it begins, but those of `spare`.
 */
export class RecordingTalk implements Talk {
  readonly requests: ToldRequest[] = []
  readonly replies: ToldReply[] = []
  /** Why the connection is opaque; null: it is not. */
  opaqueReason: string | null = null
  readonly #spare: (head: RequestHead) => boolean
  readonly #waiting: RequestHead[] = []
  readonly #fromClient: Buffer[] = []
  readonly #fromBackend: Buffer[] = []
  /** What was lent since the dialogue was last called, and how it was then. */
  #lent: { bytes: Buffer; copy: Buffer }[] = []
  #request: { head: RequestHead; pieces: Buffer[]; told: ToldRequest } | null = null
  #reply: { pieces: Buffer[]; told: ToldReply } | null = null

  /** @param spare which requests never reach the backend: the test sends no reply to them */
  constructor(spare: (head: RequestHead) => boolean = () => false) {
    this.#spare = spare
  }

  /** All bytes told, of requests and opaque: what the backend would get. */
  get clientBytes(): Buffer {
    return Buffer.concat(this.#fromClient)
  }

  /** All bytes told, of replies and opaque: what the client would get. */
  get backendBytes(): Buffer {
    return Buffer.concat(this.#fromBackend)
  }

  requestBegins(head: RequestHead): void {
    assert.equal(this.opaqueReason, null, 'a request after opaque')
    assert.equal(this.#request, null, 'a request within another')
    assert.ok(head.label.length <= 200, 'a label of more than 200 characters')
    const told = { head, bytes: Buffer.alloc(0), ended: false }
    this.requests.push(told)
    this.#request = { head, pieces: [], told }
    if (head.replies === 1 && !this.#spare(head)) this.#waiting.push(head)
  }

  requestBytes(bytes: Buffer): void {
    assert.ok(this.#request !== null, 'bytes outside of a request')
    const copy = this.#copy(bytes)
    this.#fromClient.push(copy)
    this.#request.pieces.push(copy)
  }

  requestEnds(): void {
    assert.ok(this.#request !== null, 'the end of no request')
    this.#finishRequest(true)
  }

  replyBegins(to: RequestHead | null): void {
    assert.equal(this.opaqueReason, null, 'a reply after opaque')
    assert.equal(this.#reply, null, 'a reply within another')
    if (to !== null) assert.equal(to, this.#waiting[0], 'a reply out of order')
    const told = { to, bytes: Buffer.alloc(0), ended: false }
    this.replies.push(told)
    this.#reply = { pieces: [], told }
  }

  replyBytes(bytes: Buffer): void {
    assert.ok(this.#reply !== null, 'bytes outside of a reply')
    const copy = this.#copy(bytes)
    this.#fromBackend.push(copy)
    this.#reply.pieces.push(copy)
  }

  replyEnds(): void {
    assert.ok(this.#reply !== null, 'the end of no reply')
    if (this.#reply.told.to !== null) this.#waiting.shift()
    this.#finishReply(true)
  }

  opaque(reason: string, client: Buffer | null, backend: Buffer | null): void {
    assert.equal(this.opaqueReason, null, 'opaque twice')
    this.opaqueReason = reason
    if (client !== null) this.#fromClient.push(Buffer.from(client))
    if (backend !== null) this.#fromBackend.push(Buffer.from(backend))
    this.#finishRequest(false)
    this.#finishReply(false)
  }

  answering(): RequestHead | null {
    return this.#waiting[0] ?? null
  }

  /** Messages that have begun and not ended are given the bytes that they have so far. */
  settle(): this {
    this.#finishRequest(false)
    this.#finishReply(false)
    return this
  }

  /** Bytes that were read after `opaque` go on as they are; a dialogue is not told of them. */
  passOpaque(direction: 'client' | 'backend', bytes: Buffer): void {
    assert.ok(this.opaqueReason !== null)
    if (direction === 'client') this.#fromClient.push(Buffer.from(bytes))
    else this.#fromBackend.push(Buffer.from(bytes))
  }

  /** The dialogue has returned: until now it may not change what it lent. */
  returned(): void {
    for (const { bytes, copy } of this.#lent)
      assert.ok(bytes.equals(copy), 'bytes that were told are written over')
    this.#lent = []
  }

  #copy(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes)
    this.#lent.push({ bytes, copy })
    return copy
  }

  #finishRequest(ended: boolean): void {
    if (this.#request === null) return
    this.#request.told.bytes = Buffer.concat(this.#request.pieces)
    this.#request.told.ended = ended
    this.#request = null
  }

  #finishReply(ended: boolean): void {
    if (this.#reply === null) return
    this.#reply.told.bytes = Buffer.concat(this.#reply.pieces)
    this.#reply.told.ended = ended
    this.#reply = null
  }
}

/** A step of a conversation: who sends what. */
export type Sent = readonly ['client' | 'backend', Buffer | string]

/**
 * Plays a conversation to a new dialogue of a protocol. Bytes are lent in a buffer that is overwritten afterwards, as a socket
 * may do it, so that a dialogue that keeps them is found out.
 *
 * @param cut lengths of the pieces in which each step arrives, in turn; [] as a whole
 */
export function play(
  protocol: Protocol,
  steps: readonly Sent[],
  { cut = [], talk = new RecordingTalk() }: { cut?: readonly number[]; talk?: RecordingTalk } = {},
): RecordingTalk {
  assert.ok(protocol.open !== null)
  const dialogue: Dialogue = protocol.open(talk)
  let turn = 0
  for (const [who, sent] of steps) {
    const bytes = typeof sent === 'string' ? Buffer.from(sent, 'latin1') : sent
    for (let at = 0; at < bytes.length;) {
      const length = cut.length === 0 ? bytes.length : Math.max(1, cut[turn++ % cut.length]!)
      const lent = Buffer.from(bytes.subarray(at, at + length))
      at += length
      if (talk.opaqueReason !== null) talk.passOpaque(who, lent)
      else if (who === 'client') dialogue.fromClient(lent)
      else dialogue.fromBackend(lent)
      talk.returned()
      lent.fill(0xee)
    }
  }
  return talk.settle()
}

/** Half a command, and half a reply to a whole one, are told when their streams end. */
export function assertHalvesAreTold(
  protocol: Protocol,
  { half, command, halfReply }: { half: string; command: string; halfReply: string },
): void {
  const ofClient = new RecordingTalk()
  const asking = protocol.open!(ofClient)
  asking.fromClient(Buffer.from(half))
  asking.clientEnded?.()
  assert.equal(ofClient.clientBytes.toString(), half)

  const ofBackend = new RecordingTalk()
  const answering = protocol.open!(ofBackend)
  answering.fromClient(Buffer.from(command))
  answering.fromBackend(Buffer.from(halfReply))
  answering.backendEnded?.()
  assert.equal(ofBackend.backendBytes.toString(), halfReply)
}
