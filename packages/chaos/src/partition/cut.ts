/**
 * How a way is cut. reset: connections are reset, new ones, too. refuse: connections are reset, and nobody listens for new ones.
 * blackhole: bytes vanish, and nobody is told.
 */
export type CutMode = 'reset' | 'refuse' | 'blackhole'

export const cutModes = ['reset', 'refuse', 'blackhole'] as const
