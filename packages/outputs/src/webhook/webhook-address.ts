import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import { splitAddress } from '../exposition/address.ts'

/** What can be told. */
export const webhookEvents = ['start', 'stop', 'threshold', 'agent-loss', 'fault'] as const
export type WebhookEvent = (typeof webhookEvents)[number]

/** The variable whose value signs what is sent. */
export const secretVariable = 'LOADS_WEBHOOK_SECRET'

export interface WebhookAddress {
  /** Where to; it may be a secret itself. */
  url: string
  /** What may be shown of it. */
  shown: string
  /** Value of the header `authorization`; null without credentials in the address. */
  authorization: string | null
  events: ReadonlySet<WebhookEvent>
  secret: string | null
}

/**
 * Reads `URL[?events=start,stop,...]`. Whatever else stands in the query belongs to the address.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS
 */
export function parseWebhookAddress(args: string, { env }: Pick<OutputEnvironment, 'env'>): WebhookAddress {
  const text = args.trim()
  if (!/^https?:\/\//i.test(text)) throw wrong('it needs an address that begins with http:// or https://')
  const { url, authorization } = splitAddress('output webhook', text)
  const address = new URL(url)
  address.search = new URL(text).search
  const wanted = address.searchParams.get('events')
  if (wanted !== null) address.searchParams.delete('events')
  const secret = env[secretVariable]
  return {
    url: address.href,
    // The path is what keeps many webhooks secret.
    shown: address.origin,
    authorization,
    events: wanted === null ? new Set(webhookEvents) : eventsOf(wanted),
    secret: secret === undefined || secret === '' ? null : secret,
  }
}

function eventsOf(text: string): Set<WebhookEvent> {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const events = names.map((name) => {
    const known = webhookEvents.find((event) => event === name)
    if (known === undefined) throw wrong(`there is no event "${name}"; there are ${webhookEvents.join(', ')}`)
    return known
  })
  if (events.length === 0) throw wrong(`events= names none; there are ${webhookEvents.join(', ')}`)
  return new Set(events)
}

function wrong(problem: string): OutputError {
  return new OutputError(
    'OUTPUT_ARGUMENTS',
    `output webhook: ${problem}; write webhook:URL[?events=start,stop]`,
  )
}
