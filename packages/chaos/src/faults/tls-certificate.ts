import { oneOf } from '../attributes.ts'
import { onlyTerminated } from '../tls/only-terminated.ts'
import { certificateKinds, type CertificateKind } from '../tls/treatment.ts'
import { defineFault } from './definition.ts'

/** Shows new connections a certificate that must not be trusted, made by the throw-away authority. */
export const tlsCertificate = defineFault<{ certificate: CertificateKind }>({
  type: 'tls_certificate',
  summary: 'shows a certificate that is expired, for another name, or otherwise wrong',
  attributes: {
    certificate: oneOf(certificateKinds, { initial: 'expired', help: 'what is wrong with it' }),
  },
  units: ['connection'],
  check: onlyTerminated,
  connect: (_attempt, { certificate }) => ({ tls: { certificate } }),
})
