/** Where the reader is: the part of the address after the #. Pure. */
export type Route =
  /** Nothing said: the run that goes on, where there is only one, else the list. */
  | { page: 'start' }
  | { page: 'runs'; search: string }
  | { page: 'run'; runId: string }
  | { page: 'compare'; before: string; after: string }

/** What is no address of the page is its start. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2)
  const parts = path.split('/').filter((part) => part !== '')
  const fields = new URLSearchParams(query)
  if (parts[0] === 'runs' && parts.length === 1) return { page: 'runs', search: fields.get('search') ?? '' }
  if (parts[0] === 'runs' && parts.length === 2) {
    const runId = decoded(parts[1]!)
    return runId === null ? { page: 'start' } : { page: 'run', runId }
  }
  if (parts[0] === 'compare') {
    const [before, after] = [fields.get('before'), fields.get('after')]
    if (before !== null && after !== null) return { page: 'compare', before, after }
  }
  return { page: 'start' }
}

/** The inverse of {@link parseRoute}. */
export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'start':
      return '#/'
    case 'runs':
      return route.search === '' ? '#/runs' : `#/runs?${new URLSearchParams({ search: route.search })}`
    case 'run':
      return `#/runs/${encodeURIComponent(route.runId)}`
    case 'compare':
      return `#/compare?${new URLSearchParams({ before: route.before, after: route.after })}`
  }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
