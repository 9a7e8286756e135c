/**
 * A million wounded answers for the parser: each gives an answer or an error, at once, the same however it is split, and
 * never bytes of the answer behind it. Run by hand; the tests do a bounded number of the same.
 *
 *     node --import tsx packages/testcase/benchmark/answer-fuzz.ts [COUNT] [SEED]
 */
import assert from 'node:assert/strict'
import { AnswerParser } from '../src/sessions/http/answer-parser.ts'
import { createRandom } from '../src/random.ts'
import { makeAnswer, mutate } from '../test/helpers/answer-mutation.ts'
import { cut, readOurs } from '../test/helpers/answers.ts'

const [count = '1000000', seed = '1'] = process.argv.slice(2)
const random = createRandom(Number(seed), 'fuzz')
const pick = (below: number) => Math.floor(random.next() * below)
const next = Buffer.from('HTTP/1.1 299 Next\r\nContent-Length: 4\r\n\r\nnext')
const clean = { status: 299, headers: [['content-length', '4']], body: 'next', rest: 0 }
const parser = new AnswerParser()
let [answers, errors, longestMs] = [0, 0, 0]

const startedAt = performance.now()
for (let turn = 0; turn < Number(count); turn++) {
  const isHead = pick(8) === 0
  let text = makeAnswer(pick)
  for (let wounds = pick(3); wounds >= 0; wounds--) text = mutate(text, pick)
  const bytes = Buffer.from(text, 'latin1')
  const before = performance.now()
  const whole = readOurs([bytes], isHead, 1000, parser)
  longestMs = Math.max(longestMs, performance.now() - before)
  const places = Array.from({ length: pick(8) }, () => pick(bytes.length + 1))
  const split = readOurs(cut(bytes, places), isHead, 1000, parser)
  if ('error' in whole) {
    errors++
    assert.ok('error' in split, text)
  } else {
    answers++
    assert.deepEqual(split, whole, text)
    // Where it was complete before the connection ended, what follows is left alone.
    if (parser.reusable) {
      const more = readOurs(cut(Buffer.concat([bytes, next]), places), isHead, 1000, parser)
      assert.deepEqual(more, { ...whole, rest: whole.rest + next.length }, text)
    }
  }
  assert.deepEqual(readOurs([next], false, 1000, parser), clean, text)
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
console.log(
  `${count} answers, seed ${seed}: ${answers} read, ${errors} refused, slowest ${longestMs.toFixed(1)} ms, ${seconds} s`,
)
