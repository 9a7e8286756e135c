/** Names for generated code, made of what strangers have called things. */

const reserved = new Set(
  (
    'abstract any arguments as async await boolean break case catch class const constructor continue debugger ' +
    'declare default delete do else enum eval export extends false finally for from function get if implements ' +
    'import in instanceof interface is let module namespace new null number of package private protected public ' +
    'require return set static string super switch symbol this throw true try type typeof undefined var void ' +
    'while with yield sleep Buffer FormData Blob URL process Object Array JSON'
  ).split(' '),
)

/** Words of ASCII letters and digits: `getUser-by_id` is get, User, by, id. */
function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
}

/** `user name` is userName. Empty where nothing can be made of it. */
export function camelCase(text: string): string {
  const joined = wordsOf(text)
    .map((word, index) =>
      index === 0 ? word.toLowerCase() : word[0]!.toUpperCase() + word.slice(1).toLowerCase(),
    )
    .join('')
  return joined.replace(/^\d+/, '').slice(0, 40)
}

/** `user name` is UserName. */
export function pascalCase(text: string): string {
  const joined = wordsOf(text)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('')
  return joined.slice(0, 60)
}

/** `userName` is user_name. */
export function snakeCase(text: string): string {
  return wordsOf(text)
    .map((word) => word.toLowerCase())
    .join('_')
    .slice(0, 60)
}

/** Hands out each name once: `user`, `user2`, `user3`. */
export class Names {
  readonly #taken = new Set<string>()
  readonly #next = new Map<string, number>()

  /** @param fallback for a text that no name can be made of */
  take(wanted: string, fallback: string): string {
    const base = wanted === '' || reserved.has(wanted) ? fallback : wanted
    let number = this.#next.get(base) ?? 1
    let name: string
    do {
      name = number === 1 ? base : `${base}${number}`
      number++
    } while (this.#taken.has(name))
    this.#next.set(base, number)
    this.#taken.add(name)
    return name
  }
}

/** `users` is user: for the name of an id behind it. */
export function singular(word: string): string {
  if (/ies$/i.test(word)) return word.slice(0, -3) + 'y'
  if (/(ss|us|is)$/i.test(word)) return word
  if (/(ch|sh|x|ss)es$/i.test(word)) return word.slice(0, -2)
  return word.replace(/s$/i, '')
}
