/** Everything in a run that somebody outside has named. */
export interface FixtureNames {
  project: string
  test: string
  /** Names of hits. */
  home: string
  login: string
  /** Of the hits named `login`, of the run and of its note. */
  tag: { name: string; value: string }
  check: string
  step: string
  counter: string
  gauge: string
  timing: string
  observed: string
  note: string
  fault: string
  /** Of an error and of a log line. */
  message: string
}

const plain: FixtureNames = {
  project: 'shop',
  test: 'shop.TestShop.test_buy',
  home: 'GET /',
  login: 'POST /login',
  tag: { name: 'region', value: 'eu' },
  check: 'has a title',
  step: 'log in',
  counter: 'orders',
  gauge: 'queue',
  timing: 'render',
  observed: 'target_cpu',
  note: 'deployed 1.2.3',
  fault: 'database cut',
  message: 'no such user',
}

/** One of each that breaks something: markup, formulas, separators of line protocol and statsd, lengths, encodings. */
const hostile: FixtureNames = {
  project: '"quoted", \'twice\' & <b>',
  test: '<script>alert(1)</script>',
  home: 'GET /a|b:c@d#e,f=g h.i\\j"k\'l;m',
  login: `POST /${'x'.repeat(500)}`,
  tag: { name: 'tag, with = space', value: 'a, b=c "d"\nnext line\\' },
  check: ']]>&amp;<!--',
  step: '=HYPERLINK("http://localhost/","x")',
  counter: '-1+1|c|@0.1',
  gauge: '+cmd|calc',
  timing: '@sum(1)\t\r\n',
  observed: '__proto__',
  note: '😀 deployed \u0000\u0001\u001b[31m\u2028 </textarea>',
  fault: ' leading and trailing \ud83d ',
  message: 'broken "quote", <img src=x onerror=alert(1)>\r\n\u0007 end',
}

export function namesOf(kind: 'plain' | 'hostile'): FixtureNames {
  return kind === 'plain' ? plain : hostile
}
