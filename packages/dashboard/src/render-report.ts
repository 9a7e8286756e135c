import { escapeHtml } from './escape-html.ts'
import type { RunModel } from './model.ts'
import { hashSource, readPageFiles } from './page-files.ts'
import { summaryTable } from './summary-table.ts'

/** Where the script of the report finds the model: a `<script type="application/json">` with this id. */
export const modelElementId = 'model'

/**
 * The report of a run: one HTML file that opens anywhere, needs nothing else and may do nothing else, whatever the names
 * in the run hold. Its script has a hash in the policy of the page: no other one runs, and nothing is ever loaded.
 *
 * @throws {DashboardError} DASHBOARD_PAGE: the bundled script is not there
 */
export function renderReport(model: RunModel): string {
  const { script, style } = readPageFiles('report')
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const { names, runId } = model.head
  const title = `${shortened(names.join(' ')) || 'run'} · ${runId}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>
${summaryTable(model)}
</noscript>
<script type="application/json" id="${modelElementId}">${jsonForHtml(model)}</script>
<script>${script}</script>
</body>
</html>
`
}

/**
 * JSON that may stand in a script element: no text in it ends the element or opens a comment. It is the same JSON: in
 * strings, where alone these characters occur, a character may be written as its number.
 */
export function jsonForHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
