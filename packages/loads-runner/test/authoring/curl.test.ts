import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readCurl } from '../../src/authoring/curl.ts'
import { planCurl } from '../../src/authoring/plan-curl.ts'
import { shellCommands } from '../../src/authoring/shell-words.ts'
import { moduleText } from '../../src/authoring/test-module.ts'
import { UsageError } from '../../src/errors.ts'
import { runModule } from './run-module.ts'
import type { MadeRequest } from './run-module.ts'

const files: Record<string, string | Buffer> = { 'a.json': '{"a":\n1}', 'a.bin': Buffer.from([0xff, 0, 1]) }

const read = (command: string) =>
  readCurl(command, (file) => {
    const content = files[file]
    if (content === undefined) throw new UsageError(`curl: cannot read ${file}`)
    return Promise.resolve(Buffer.from(content))
  })

async function made(command: string): Promise<MadeRequest[]> {
  const { requests } = await read(command)
  return (await runModule(moduleText(planCurl(requests, 'curl')))).requests
}

async function one(command: string): Promise<MadeRequest> {
  const requests = await made(command)
  assert.equal(requests.length, 1)
  return requests[0]!
}

describe('import curl', () => {
  it('reads what is typed every day', async () => {
    assert.deepEqual(await one('curl http://h:1/a'), { method: 'GET', url: '/a', options: {} })
    assert.deepEqual(await one('curl -I example.org/x'), { method: 'HEAD', url: '/x', options: {} })
    assert.deepEqual(await one(`curl -sSL --compressed -XDELETE -u me:pw 'http://h/items/12'`), {
      method: 'DELETE',
      url: '/items/:itemId',
      options: { params: { itemId: '12' }, auth: { username: 'me', password: 'pw' } },
    })
    assert.deepEqual(await one(`curl http://h/login -d user=me -d 'pass=a b'`), {
      method: 'POST',
      url: '/login',
      // The blank is sent as it is, which no form does.
      options: {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'user=me&pass=a b',
      },
    })
    assert.deepEqual((await one(`curl http://h/login -d user=me --data-urlencode 'pass=a &b'`)).options, {
      form: { user: 'me', pass: 'a &b' },
    })
    assert.deepEqual((await one(`curl -G http://h/find?x=1 --data-urlencode 'q=a b' -d n=2`)).options, {
      query: { x: '1', q: 'a b', n: '2' },
    })
  })

  it('sends JSON as JSON', async () => {
    assert.deepEqual((await one(`curl --json '{"a":[1]}' http://h/`)).options, {
      headers: { accept: 'application/json' },
      json: { a: [1] },
    })
    const copied = await one(
      `curl 'http://h/api' -H 'Content-Type: application/json' -H 'Cookie: sid=1' -H 'sec-ch-ua: "x"' --data-raw $'{"it":"it\\'s \\u0021"}'`,
    )
    assert.deepEqual(copied, {
      method: 'POST',
      url: '/api',
      options: { headers: { cookie: 'sid=1' }, json: { it: "it's !" } },
    })
    assert.deepEqual((await one(`curl http://h/ -H 'content-type: application/json' -d @a.json`)).options, {
      json: { a: 1 },
    })
  })

  it('sends files and forms', async () => {
    const { options } = await one(
      `curl http://h/ -F 'title=hello;type=text/x' -F file=@a.json -F 'raw=<a.json'`,
    )
    const form = options['multipart'] as FormData
    assert.equal(await (form.get('title') as File).text(), 'hello')
    const file = form.get('file') as File
    assert.deepEqual([file.name, await file.text()], ['a.json', files['a.json']])
    assert.equal(form.get('raw'), files['a.json'])
    const binary = await one(`curl http://h/ -H 'content-type: image/x' --data-binary @a.bin`)
    assert.deepEqual(binary.options['body'], files['a.bin'])
  })

  it('reads several commands, as a browser copies them', async () => {
    const requests = await made(
      `curl 'http://h/a' \\\n  -H 'X-A: 1' ;\ncurl 'http://h/b' --next http://h/c # done`,
    )
    assert.deepEqual(
      requests.map(({ url }) => url),
      ['/a', '/b', '/c'],
    )
  })

  it('says what belongs on the command line of the runner', async () => {
    const { warnings } = await read('curl -k -m 5 https://h/')
    assert.deepEqual(warnings, [
      'curl -k: run the test with --insecure',
      'curl -m: run the test with --timeout 5',
    ])
  })

  it('names what it does not know, all at once', async () => {
    const problems = async (command: string): Promise<string> =>
      read(command).then(
        () => 'none',
        (error: unknown) => (error instanceof UsageError ? error.message : String(error)),
      )
    assert.equal(
      await problems('curl --hedaer a -Z http://h/'),
      'curl: flag --hedaer is not known here: did you mean --header?\ncurl: flag -Z is not known here',
    )
    assert.equal(await problems('curl -H'), 'curl: -H needs a value')
    assert.equal(await problems('curl -s'), 'curl: the command has no URL')
    assert.equal(await problems('wget http://h/'), 'curl: the command begins with "wget", not with curl')
    assert.equal(await problems("curl 'http://h/"), 'curl: the quote at "\'http://h/" does not end')
    assert.match(await problems('curl ftp://h/'), /only http and https/)
    assert.match(await problems('curl http://h/ -b jar.txt'), /-b jar\.txt is a file of cookies/)
    assert.match(await problems('curl http://h/ -d @none'), /cannot read none/)
    assert.match(await problems('curl http://h/ -d a=1 -F b=2'), /exclude each other/)
  })
})

describe('shellCommands', () => {
  const anyWord = fc.string({ unit: 'binary', minLength: 1 })
  const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  const double = (text: string) => `"${text.replaceAll(/[$`"\\]/g, '\\$&')}"`
  const ansi = (text: string) =>
    `$'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\x09')}'`

  it('reads any words, however they are quoted', () => {
    const quoted = fc.tuple(anyWord, fc.constantFrom(single, double, ansi))
    fc.assert(
      fc.property(fc.array(quoted, { minLength: 1 }), (words) => {
        const text = words.map(([word, quote]) => quote(word)).join(' ')
        assert.deepEqual(shellCommands(text), [words.map(([word]) => word)])
      }),
    )
  })

  it('never hangs or breaks on what is no command', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...`'"$\\\n;&|# ab`.split('')) }), (text) => {
        try {
          for (const words of shellCommands(text)) assert.ok(words.length > 0)
        } catch (error) {
          assert.ok(error instanceof UsageError)
        }
      }),
    )
  })
})
