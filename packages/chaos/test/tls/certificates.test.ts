import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Authority } from '../../src/tls/authority.ts'
import { certificateKinds } from '../../src/tls/treatment.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { Certificates } from '../support/certificates.ts'
import { handshakeError, secureClient } from '../support/secure-client.ts'
import { Secured } from '../support/secured.ts'

/** What clients of Node make of each. */
const seen = {
  expired: 'CERT_HAS_EXPIRED',
  'not-yet-valid': 'CERT_NOT_YET_VALID',
  'wrong-name': 'ERR_TLS_CERT_ALTNAME_INVALID',
  'self-signed': 'DEPTH_ZERO_SELF_SIGNED_CERT',
} as const

describe('certificates of a proxy', () => {
  it('are signed for whatever name or address a client came to, by one authority', async () => {
    await using secured = await Secured.echo()
    for (const servername of ['localhost', 'any.name.test', 'Upper.Test', '']) {
      const { socket, peer } = await secureClient({ ...secured.trust, servername })
      peer.write('hello')
      assert.equal((await peer.until(5)).toString(), 'hello')
      const names = new X509Certificate(socket.getPeerCertificate().raw).subjectAltName
      assert.equal(names, servername === '' ? 'IP Address:127.0.0.1' : `DNS:${servername.toLowerCase()}`)
      socket.destroy()
    }
    await using other = await Secured.echo()
    assert.equal(other.proxy.authority, secured.proxy.authority)
  })

  it('are not trusted by who does not trust the authority', async () => {
    await using secured = await Secured.echo()
    const { ca: _, ...stranger } = secured.trust
    assert.equal(await handshakeError(stranger), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  for (const [kind, code] of Object.entries(seen)) {
    it(`#36 ${kind} is seen by a client as ${code}, as an option of the proxy`, async () => {
      await using secured = await Secured.echo([], { tls: { certificate: kind as keyof typeof seen } })
      assert.equal(await handshakeError({ ...secured.trust, servername: 'localhost' }), code)
      assert.equal(await handshakeError(secured.trust), code)
    })

    it(`#36 ${kind} is seen by a client as ${code}, as a fault that comes and goes`, async () => {
      await using secured = await Secured.echo()
      const { peer: before } = await secureClient(secured.trust)
      const scope = await secured.proxy.withFault({
        type: 'tls_certificate',
        attributes: { certificate: kind },
      })
      assert.equal(await handshakeError(secured.trust), code)
      before.write('still there')
      await before.until(11)
      await scope.end()
      const { peer: after } = await secureClient(secured.trust)
      after.write('well again')
      await after.until(10)
      assert.equal(secured.of('fault').length, 1)
      assert.equal(secured.of('fault')[0]?.fault, 'tls_certificate')
    })
  }

  it('are drawn for each connection: with a rate, the same ones in each run', async () => {
    const run = async (): Promise<string[]> => {
      await using secured = await Secured.echo([{ type: 'tls_certificate', toxicity: 0.5 }])
      const codes: string[] = []
      for (let i = 0; i < 12; i++)
        codes.push(
          await secureClient(secured.trust).then(
            ({ socket }) => (socket.destroy(), 'good'),
            (error: NodeJS.ErrnoException) => error.code!,
          ),
        )
      return codes
    }
    const codes = await run()
    assert.deepEqual(new Set(codes), new Set(['good', 'CERT_HAS_EXPIRED']))
    assert.deepEqual(await run(), codes)
  })

  it('may be the own ones, as files or as PEM', async () => {
    await using certificates = await Certificates.make()
    const { cert, key } = await certificates.sign('own', 'DNS:own.test')
    const pems = { cert: await certificates.read(cert), key: await certificates.read(key) }
    for (const tls of [{ cert, key }, pems]) {
      await using secured = await Secured.echo([], { tls })
      assert.equal(secured.proxy.authority, null)
      const trust = { ...secured.trust, ca: await certificates.read(certificates.ca) }
      const { peer } = await secureClient({ ...trust, servername: 'own.test' })
      peer.write('x')
      await peer.until(1)
      assert.equal(await handshakeError({ ...trust, servername: 'other.test' }), seen['wrong-name'])
    }
  })

  it('that do not fit are told at the start, with what to do', async () => {
    await using certificates = await Certificates.make()
    const { cert } = await certificates.sign('one', 'DNS:own.test')
    const { key } = await certificates.sign('other', 'DNS:own.test')
    const start = (tls: object) => startProxy({ listen: 'tls://127.0.0.1:0', backend: '127.0.0.1:1', tls })
    const wrong: [object, RegExp][] = [
      [{ cert, key }, /cert and key of tls do not fit/],
      [{ cert }, /both cert and key/],
      [{ cert: `${cert}.nowhere`, key }, /cert of tls must be PEM or the path/],
      [{ cert: fileURLToPath(import.meta.url), key }, /holds no PEM/],
      [{ cert, key: cert }, /do not fit/],
      [{ cert, key, certificate: 'expired' }, /leave cert and key away/],
    ]
    for (const [tls, message] of wrong)
      await assert.rejects(start(tls), { code: 'CHAOS_CERTIFICATE', message })
    const backend = { backend: 'tls://127.0.0.1:1' }
    await assert.rejects(startProxy({ ...backend, tls: { clientCert: cert } }), { code: 'CHAOS_CERTIFICATE' })
    await assert.rejects(startProxy({ ...backend, tls: { ca: `${cert}.nowhere` } }), {
      code: 'CHAOS_CERTIFICATE',
    })
  })

  it('that no client would ever see are told at the start', async () => {
    for (const tls of [{ certificate: 'expired' as const }, { cert: 'a.pem', key: 'a.key' }])
      await assert.rejects(startProxy({ backend: 'localhost:1', enabled: false, tls }), {
        code: 'CHAOS_CERTIFICATE',
        message: /write tls:\/\/ in front of listen/,
      })
  })

  it('are kept for a bounded number of names, one for all connections of a name', async () => {
    const authority = await Authority.make()
    const first = await authority.context('a.test', 'good')
    assert.equal(await authority.context('a.test', 'good'), first)
    assert.notEqual(await authority.context('a.test', 'expired'), first)
    for (let i = 0; i < 300; i++) await authority.context(`${i}.test`, 'good')
    assert.notEqual(await authority.context('a.test', 'good'), first)
  }).timeout(240_000)

  it('has a word for every kind', () => {
    assert.deepEqual([...certificateKinds], ['good', ...Object.keys(seen)])
  })
})
