/** Faults that work on a request and its reply. */
export const requestFaults = [] as const
