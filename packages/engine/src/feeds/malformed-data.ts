/** Why a file has no rows that one could read; the reader adds the name of the file. */
export class MalformedData extends Error {
  /** From 1. */
  readonly line: number

  constructor(line: number, reason: string) {
    super(reason)
    this.line = line
  }
}
