// The ten languages of the interface.
export const languages = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'ar', 'hi'] as const
export type Language = (typeof languages)[number]

/** Returns the first wish that there is an interface for ("de-AT" is "de"), else English. */
export function pickLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const base = (wish ?? '').toLowerCase().split('-')[0]
    const found = languages.find((language) => language === base)
    if (found) return found
  }
  return 'en'
}

/** Returns the writing direction of a language of the interface or of a notice. */
export function direction(language: string): 'rtl' | 'ltr' {
  return /^(ar|fa|he|ur)\b/i.test(language) ? 'rtl' : 'ltr'
}
