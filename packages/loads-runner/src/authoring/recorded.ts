/** A request as it was seen, with as much of its answer as a test can be made of. */
export interface Recorded {
  method: string
  /** Absolute, http or https, without fragment. */
  url: string
  headers: readonly (readonly [string, string])[]
  body: RecordedBody | null
  /** 0 where no answer was recorded. */
  status: number
  /** `Location` of the answer. */
  location: string | null
  responseType: string
  /** The answer's body where it is JSON. */
  json: string | null
  /** Names of the cookies that the answer set. */
  setsCookies: readonly string[]
  /** Epoch milliseconds; null when unknown. */
  startedAt: number | null
  /** Milliseconds to the end of the answer. */
  durationMs: number
  /** The page that it was made for; '' when unknown. */
  page: string
  /** An asset of a page: image, style, font, script; or a browser's own question (preflight). */
  asset: boolean
}

export interface RecordedBody {
  /** With its parameters; '' when unknown. */
  type: string
  text: string
  /** The text is base64 of what was sent. */
  base64: boolean
  /** Of forms, where the recorder has taken them apart. */
  fields: readonly RecordedField[] | null
}

export interface RecordedField {
  name: string
  value: string
  fileName: string | null
  contentType: string | null
}

const assetTypes = /^(image|font|audio|video)\/|^text\/css|javascript|ecmascript|font|wasm|manifest\+json/i
const assetNames =
  /\.(?:png|jpe?g|gif|webp|avif|svg|ico|bmp|css|js|mjs|map|woff2?|ttf|otf|eot|mp[34]|webm|ogg|wav|m3u8|ts|wasm|webmanifest)$/i

/** Is that what a page loads besides what a test is about? */
export function isAsset(url: string, type: string): boolean {
  if (assetTypes.test(type)) return true
  // A type that says something else is right.
  return type === '' && URL.canParse(url) && assetNames.test(new URL(url).pathname)
}
