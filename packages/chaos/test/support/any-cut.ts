import assert from 'node:assert/strict'
import fc from 'fast-check'

import type { Protocol } from '../../src/protocols/protocol.ts'
import { play, RecordingTalk, type Sent } from './recording-talk.ts'

/** What was told of a conversation, to be compared. */
export function toldOf(talk: RecordingTalk) {
  return {
    requests: talk.requests.map(({ head, bytes, ended }) => ({
      label: head.label,
      verb: head.verb,
      text: head.text,
      bytes: bytes.toString('latin1'),
      ended,
    })),
    replies: talk.replies.map(({ to, bytes, ended }) => ({
      to: to?.label ?? null,
      bytes: bytes.toString('latin1'),
      ended,
    })),
    opaque: talk.opaqueReason,
  }
}

/** However a conversation is split, the same is told, and every byte once. */
export function sameHoweverCut(protocol: Protocol, steps: readonly Sent[]): void {
  const whole = play(protocol, steps)
  const sent = (who: string): Buffer =>
    Buffer.concat(
      steps
        .filter(([by]) => by === who)
        .map(([, each]) => (typeof each === 'string' ? Buffer.from(each, 'latin1') : each)),
    )
  const check = (talk: RecordingTalk): void => {
    assert.deepEqual(toldOf(talk), toldOf(whole))
    assert.ok(talk.clientBytes.equals(sent('client')))
    assert.ok(talk.backendBytes.equals(sent('backend')))
  }
  check(whole)
  check(play(protocol, steps, { cut: [1] }))
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }), (cut) => {
      check(play(protocol, steps, { cut }))
    }),
  )
}

/** Whatever comes, every byte is told once and nothing is thrown. */
export function survivesGarbage(protocol: Protocol, before: readonly Sent[]): void {
  const garbage = fc.array(
    fc.tuple(
      fc.constantFrom('client' as const, 'backend' as const),
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(garbage, fc.nat(before.length), (pieces, kept) => {
      const steps: Sent[] = [
        ...before.slice(0, kept),
        ...pieces.map(([who, bytes]): Sent => [who, Buffer.from(bytes)]),
      ]
      const talk = new RecordingTalk()
      const dialogue = protocol.open!(talk)
      let client = 0
      let backend = 0
      for (const [who, each] of steps) {
        if (talk.opaqueReason !== null) break
        const bytes = typeof each === 'string' ? Buffer.from(each, 'latin1') : each
        if (who === 'client') dialogue.fromClient(bytes)
        else dialogue.fromBackend(bytes)
        if (who === 'client') client += bytes.length
        else backend += bytes.length
      }
      if (talk.opaqueReason === null) dialogue.clientEnded?.()
      assert.equal(talk.clientBytes.length, client)
      assert.equal(talk.backendBytes.length, backend)
    }),
    { numRuns: 500 },
  )
}
