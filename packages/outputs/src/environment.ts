/** What an output may know of the process that it runs in. */
export interface OutputEnvironment {
  /** Absolute: relative file names are meant from here. */
  readonly cwd: string
  /** Tokens and passwords are read from here, never from arguments. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** A line for the people who run this; no secrets in it. */
  log: (level: 'info' | 'warning' | 'error', text: string) => void
}
