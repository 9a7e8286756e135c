import { describeFaults } from '@loads-runner/chaos'

/** What was asked for, without what is as usual: `statuses 503, retry_after 2`. */
export function attributesText(type: string, attributes: object): string {
  return Object.entries(attributes)
    .map(([name, value]) => ({ name, text: textOf(value) }))
    .filter(({ name, text }) => !isUsual(type, name, text))
    .map(({ name, text }) => `${name} ${text}`)
    .join(', ')
}

function isUsual(type: string, attribute: string, text: string): boolean {
  // Those of the error of whatever protocol it is.
  const isError = type === 'error' || type === 'transient'
  return describeFaults()
    .filter((fault) => fault.type === type || (isError && fault.type.endsWith('_error')))
    .some(({ attributes }) => attributes.some(({ name, usual }) => name === attribute && usual === text))
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
