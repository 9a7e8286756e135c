import {
  knownFaults,
  knownProtocols,
  ruleAttributes,
  type Attribute,
  type AttributeTable,
} from '@loads-runner/chaos'

/** All faults with their options, and all protocols: for `--faults`. */
export function faultList(): string {
  const faults = knownFaults().map(({ type, summary, attributes }) => {
    const lines = optionLines(attributes as AttributeTable<Record<string, unknown>>)
    return `  ${type}: ${summary}\n${lines}`
  })
  const protocols = knownProtocols().map(
    ({ name, summary, error }) => `  ${name}: ${summary}; error means ${error.type}\n`,
  )
  return [
    'Faults; each is a behavior, too: --behavior 20:NAME, --behavior-NAME-OPTION VALUE\n',
    ...faults,
    '\nOptions of every fault\n',
    optionLines(ruleAttributes as AttributeTable<Record<string, unknown>>),
    '\nProtocols\n',
    ...protocols,
  ].join('')
}

function optionLines(attributes: AttributeTable<Record<string, unknown>>): string {
  return Object.entries(attributes as Record<string, Attribute<unknown>>)
    .map(([name, { help, allowed, initial, show }]) => {
      const shown = initial === null ? null : show(initial)
      const usual = shown === null || shown === '' ? '' : ` (default: ${String(shown)})`
      return `      ${name}: ${help}; ${allowed}${usual}\n`
    })
    .join('')
}
