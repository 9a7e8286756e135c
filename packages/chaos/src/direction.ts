/** Upstream: from the client to the backend. Downstream: from the backend to the client. */
export type Direction = 'upstream' | 'downstream'

export const directions: readonly Direction[] = ['upstream', 'downstream']
