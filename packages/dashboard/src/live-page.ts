import { hashSource, readPageFiles } from './page-files.ts'

export interface LivePage {
  html: string
  policy: string
}

/** The page, in one file, and what it may do: run its own script, wear its own styles, talk to where it came from. */
export function livePage(version: string): LivePage {
  const { script, style } = readPageFiles('live')
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="loads ${version.replaceAll(/[^\w.+-]/g, '')}">
<title>Loads</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript. Without it, the API has the same figures: <a href="/api/runs">runs</a>.</noscript>
<script>${script}</script>
</body>
</html>
`
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { html, policy }
}
