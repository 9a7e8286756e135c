import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DashboardError } from './errors.ts'

/** A script and its styles, in one file each, as they stand in a page. */
export interface PageFiles {
  script: string
  style: string
}

/** Where the bundles are: beside the compiled modules, or in their folder when these run from their sources. */
const folders = ['./page/', '../dist/page/']

/** @throws {DashboardError} DASHBOARD_PAGE: the bundles are not there, or cannot stand in a page */
export function readPageFiles(name: 'live' | 'report'): PageFiles {
  const script = read(`${name}.js`)
  if (script === null)
    throw new DashboardError(
      'DASHBOARD_PAGE',
      `the bundled page ${name}.js is missing: install the package again, or run "npm run build" in its repository`,
    )
  const style = read(`${name}.css`) ?? ''
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style))
    throw new DashboardError(
      'DASHBOARD_PAGE',
      `the bundled page ${name} holds a text that ends a script: escape it there`,
    )
  return { script, style }
}

/** As a source in a Content-Security-Policy: `'sha256-...'`. */
export function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

function read(file: string): string | null {
  for (const folder of folders) {
    try {
      return readFileSync(new URL(folder + file, import.meta.url), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return null
}
