import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { buildModel } from '../src/build-model.ts'
import type { RunModel } from '../src/model.ts'
import { readPageFiles } from '../src/page-files.ts'
import { jsonForHtml, modelElementId, renderReport } from '../src/render-report.ts'
import { hostileNames } from './support/hostile.ts'
import { sampleModel } from './support/sample-model.ts'
import { ScriptedRun } from './support/scripted-run.ts'

const opening = `<script type="application/json" id="${modelElementId}">`

/** What a browser hands to the script: the text from our element to the first end of a script. */
function modelIn(html: string): unknown {
  const from = html.indexOf(opening) + opening.length
  const rest = html.slice(from)
  return JSON.parse(rest.slice(0, rest.search(/<\/script/i)))
}

/** The page without our own script, styles and model. */
function withoutOurs(html: string): string {
  const { script, style } = readPageFiles('report')
  return html
    .replace(`<script>${script}</script>`, () => '')
    .replace(`<style>${style}</style>`, () => '')
    .replace(/<script type="application\/json"[^>]*>[^<]*<\/script>/, '')
}

describe('renderReport', () => {
  it('holds the model, whatever its names are, and no script but ours', () => {
    const model = sampleModel({ hostile: true, ended: true })
    const html = renderReport(model)
    assert.deepEqual(modelIn(html), JSON.parse(JSON.stringify(model)))
    const rest = withoutOurs(html)
    assert.doesNotMatch(rest, /<script/i)
    assert.doesNotMatch(rest, /<(img|svg|iframe|object|style)\b/i)
    assert.doesNotMatch(rest, /<[^>]+\son\w+\s*=/i)
    assert.doesNotMatch(rest, /<!--/)
    for (const name of hostileNames.slice(0, 3)) assert.ok(!rest.includes(name))
  })

  it('may do nothing but run its own script', () => {
    const html = renderReport(sampleModel({ seconds: 10 }))
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? ''
    const { script, style } = readPageFiles('report')
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    assert.equal(
      policy,
      `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`,
    )
    assert.ok(html.includes(`<script>${script}</script>`))
    assert.ok(html.indexOf('Content-Security-Policy') < html.indexOf('<style>'))
    assert.doesNotMatch(withoutOurs(html), /(src|href|action)="(?!data:)/)
  })

  it('has figures for readers without a script', () => {
    const model = sampleModel({ seconds: 60, series: 10, ended: true })
    const [, table = ''] = /<noscript>([\s\S]*?)<\/noscript>/.exec(renderReport(model)) ?? []
    assert.ok(table.includes(model.totals.hits.toLocaleString('en-US')))
    assert.ok(table.includes('http_req_duration: p(95)&lt;200'))
    assert.ok(table.includes('/item/:id'))
    assert.ok(table.includes('AssertionError'))
  })

  it('cannot be ended early by a title', () => {
    const model = sampleModel({ seconds: 1, series: 0 })
    model.head.names = ['</title><script>alert(1)</script>', '\0\u0007']
    const html = renderReport(model)
    assert.equal(html.match(/<\/title>/g)?.length, 1)
    assert.ok(html.includes('<title>&lt;/title&gt;&lt;script&gt;'))
    const written = html.replace(readPageFiles('report').script, () => '').split('')
    assert.ok(written.every((character) => character >= ' ' || '\n\r\t'.includes(character)))
  })

  it('writes any text as JSON that no element ends', () => {
    const pieces = fc.constantFrom(
      '</script>',
      '<!--',
      '-->',
      '<script',
      ']]>',
      '\u2028',
      '\u2029',
      '\\',
      '"',
      '&lt;',
      '\uD800',
      '\0',
    )
    const text = fc.array(fc.oneof(fc.string({ unit: 'binary' }), pieces)).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.dictionary(text, fc.array(text)), (value) => {
        const json = jsonForHtml(value)
        assert.doesNotMatch(json, /[<>&\u2028\u2029]/)
        assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('stays under 5 MB for an hour with 200 series, second by second', async function () {
    this.timeout(120_000)
    const run = new ScriptedRun({ series: 4 })
    const hour = await buildModel(run.events(3_600))
    assert.equal(hour.points.fromMs.length, 3_600)
    // The table of another run, since making the figures of 200 series takes long.
    const { series, errors, agents } = sampleModel({ seconds: 3_600, series: 200, ended: true })
    const model: RunModel = { ...hour, series, errors, agents }
    const bytes = Buffer.byteLength(renderReport(model))
    assert.ok(bytes < 5_000_000, `${bytes} bytes`)
    assert.ok(bytes > 500_000, `${bytes} bytes`)
  })
})
