import { tlsAlert } from './tls-alert.ts'
import { tlsCertificate } from './tls-certificate.ts'
import { tlsCut } from './tls-cut.ts'
import { tlsNoCloseNotify } from './tls-no-close-notify.ts'
import { tlsStall } from './tls-stall.ts'

/** Faults that work on the bytes of a direction, or on the connection itself. */
export const byteFaults = [tlsAlert, tlsCertificate, tlsCut, tlsNoCloseNotify, tlsStall] as const
