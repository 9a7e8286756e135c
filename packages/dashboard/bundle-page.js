/**
 * Bundles the page and the report for browsers: dist/page/{live,report}.{js,css}. Each is one file without any address
 * in it, since the report must open from disk and the page without a network.
 */
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

await build({
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  entryPoints: { live: 'page/live/main.ts', report: 'page/report/main.ts' },
  outdir: 'dist/page',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome109', 'firefox115', 'safari16'],
  legalComments: 'none',
  logLevel: 'warning',
})
