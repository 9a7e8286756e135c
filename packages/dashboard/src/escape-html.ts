const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** For texts and for attributes in quotes. What no HTML may hold (NUL and other controls) becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/[&<>"'`]/g, (character) => references[character]!)
    .replaceAll(/[^\P{Cc}\t\n\r]/gu, '\u{FFFD}')
}
