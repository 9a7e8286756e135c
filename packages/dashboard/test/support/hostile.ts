/** Texts that try to break out of wherever a page puts them. */
export const hostileNames: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror="globalThis.pwned=true">',
  '</script><script>globalThis.pwned=true</script>',
  "javascript:globalThis.pwned=true//'",
  '<!--<script>\u2028\u2029\u0000 ${globalThis.pwned=true} {{pwned}} &lt;b&gt;',
  '__proto__',
  'constructor',
  '\u202Egnp.exe\u202C right to left',
  'x'.repeat(10_000),
  '日本語 العربية 🦄🦄 zal\u0301go\u0336',
  'line one\r\nline two\ttab',
  '</style><style>*{display:none}</style>',
  '=HYPERLINK("http://evil.example","click")',
  ' '.repeat(300),
  '',
]

export const hostileErrors = [
  { type: '<b>Error</b>', message: '<img src=x onerror=globalThis.pwned=true>', count: 9_001 },
  { type: 'Error', message: 'http://shop.example/?q=<svg/onload=globalThis.pwned=true>&a=%00', count: 17 },
  { type: 'Error', message: `long ${'y'.repeat(10_000)}`, count: 2 },
]
