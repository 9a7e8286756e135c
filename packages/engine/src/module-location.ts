import { readFile } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import type { Loader, Plugin } from 'esbuild'

/**
 * In a bundle every module has the same `import.meta.url`. This plugin gives each of the user's own modules the URL
 * that it would have if it stood beside the bundle where it stood in the test directory, so that
 * `new URL('./users.csv', import.meta.url)` means the same locally and on every agent.
 */
export function moduleLocation(testDir: string): Plugin {
  return {
    name: 'module-location',
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
        if (path.includes(`${sep}node_modules${sep}`)) return undefined
        const source = await readFile(path, 'utf8')
        if (!/import\.meta\.(url|dirname|filename)|__dirname|__filename/.test(source)) return undefined
        const inside = JSON.stringify(relative(testDir, path).split(sep).join('/'))
        const contents = source
          .replaceAll('import.meta.url', `__loadsUrl(${inside})`)
          .replaceAll(/import\.meta\.filename|\b__filename\b/g, `__loadsFile(${inside})`)
          .replaceAll(/import\.meta\.dirname|\b__dirname\b/g, `__loadsDirectory(${inside})`)
        return { contents, loader: loaderOf(path) }
      })
    },
  }
}

/** Goes before the bundle's code: what the plugin's names mean, and `require` for CommonJS dependencies. */
export const bundleBanner = [
  `import { createRequire as __loadsCreateRequire } from 'node:module'`,
  `import { fileURLToPath as __loadsPath } from 'node:url'`,
  `const require = __loadsCreateRequire(import.meta.url)`,
  `const __loadsUrl = (inside) => new URL(inside, import.meta.url).href`,
  `const __loadsFile = (inside) => __loadsPath(__loadsUrl(inside))`,
  `const __loadsDirectory = (inside) => __loadsPath(new URL('.', __loadsUrl(inside))).replace(/[\\\\/]$/, '')`,
].join(';')

/** How esbuild reads a module of the user. */
export function loaderOf(path: string): Loader {
  const extension = /\.[cm]?([jt]sx?)$/.exec(path)?.[1]
  return (extension ?? 'js') as Loader
}
