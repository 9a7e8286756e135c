import type { Attribute } from '../attributes.ts'

/** HOST:PORT, PORT alone or :PORT; with `tls://` before it. Names are resolved later. */
export function address(help: string): Attribute<string> {
  return {
    help,
    initial: '',
    allowed: 'HOST:PORT, tls://HOST:PORT or a port',
    read(value) {
      if (typeof value !== 'string' && typeof value !== 'number') return undefined
      const [, tls = '', host = '', port] =
        /^(tls:\/\/)?(?:(\[[\da-f:.%\w]+\]|[^\s:[\]/@]*):)?(\d{1,5})$/i.exec(String(value).trim()) ?? []
      if (port === undefined || Number(port) > 65_535) return undefined
      return `${tls.toLowerCase()}${host === '' ? '127.0.0.1' : host}:${Number(port)}`
    },
    show: (value) => value,
  }
}
