import { bandwidth } from './bandwidth.ts'
import { blackhole } from './blackhole.ts'
import { connectDelay } from './connect-delay.ts'
import { corrupt } from './corrupt.ts'
import type { FaultDefinition } from './definition.ts'
import { ignore } from './ignore.ts'
import { latency } from './latency.ts'
import { limitData } from './limit-data.ts'
import { limitTime } from './limit-time.ts'
import { loss } from './loss.ts'
import { noop } from './noop.ts'
import { refuse } from './refuse.ts'
import { resetPeer } from './reset-peer.ts'
import { sever } from './sever.ts'
import { slicer } from './slicer.ts'
import { slowClose } from './slow-close.ts'
import { timeout } from './timeout.ts'
import { tlsAlert } from './tls-alert.ts'
import { tlsCertificate } from './tls-certificate.ts'
import { tlsCut } from './tls-cut.ts'
import { tlsNoCloseNotify } from './tls-no-close-notify.ts'
import { tlsStall } from './tls-stall.ts'

/** Faults that work on the bytes of a direction, or on the connection itself. */
export const byteFaults = [
  latency,
  bandwidth,
  slowClose,
  timeout,
  resetPeer,
  sever,
  slicer,
  limitData,
  limitTime,
  corrupt,
  loss,
  blackhole,
  connectDelay,
  refuse,
  ignore,
  noop,
  tlsAlert,
  tlsCertificate,
  tlsCut,
  tlsNoCloseNotify,
  tlsStall,
] as unknown as readonly FaultDefinition[]
