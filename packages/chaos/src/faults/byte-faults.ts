/** Faults that work on the bytes of a direction, or on the connection itself. */
export const byteFaults = [] as const
