import {
  describeAttributes,
  describeFaults,
  knownProtocols,
  ruleAttributes,
  type DescribedAttribute,
} from '@loads-runner/chaos'

/** All faults with their options, and all protocols: for `--faults`. */
export function faultList(): string {
  const faults = describeFaults().map(
    ({ type, summary, attributes }) => `  ${type}: ${summary}\n${optionLines(attributes)}`,
  )
  const protocols = knownProtocols().map(
    ({ name, summary, error }) => `  ${name}: ${summary}; error means ${error.type}\n`,
  )
  return [
    'Faults; each is a behavior, too: --behavior 20:NAME, --behavior-NAME-OPTION VALUE\n',
    ...faults,
    '\nOptions of every fault\n',
    optionLines(describeAttributes(ruleAttributes)),
    '\nProtocols\n',
    ...protocols,
  ].join('')
}

function optionLines(attributes: readonly DescribedAttribute[]): string {
  const lines = attributes.map(({ name, help, allowed, usual }) => {
    return `      ${name}: ${help}; ${allowed}${usual === null ? '' : ` (default: ${usual})`}\n`
  })
  return lines.join('')
}
