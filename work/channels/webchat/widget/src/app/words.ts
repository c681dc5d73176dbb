// The interface's words, dates and numbers. English is built in and stands in for what cannot be fetched.
import english from '../../strings/en.json'
import { type Language, direction } from '../shared/language'
import type { Problem } from './wire'

type Strings = typeof english
type Plain = { [K in keyof Strings]: Strings[K] extends string ? K : never }[keyof Strings]
type Counted = { [K in keyof Strings]: Strings[K] extends string ? never : K }[keyof Strings]

let strings: Strings = english
let locale: string = 'en'

export async function speak(language: Language): Promise<void> {
  if (language !== 'en') {
    try {
      const version = document.documentElement.dataset.v ?? ''
      const response = await fetch(`/widget/strings/${language}.json?v=${version}`, { credentials: 'omit' })
      strings = (await response.json()) as Strings
    } catch {
      language = 'en'
    }
  }
  if (language === 'en') strings = english
  locale = language
  document.documentElement.lang = language
  document.documentElement.dir = direction(language)
}

/** Returns the text with {name} filled in. */
export function t(key: Plain, values: Record<string, string | number> = {}): string {
  return fill(strings[key], values)
}

const reasons: Record<string, Plain> = { unsigned: 'sign_in', kind: 'wrong_type', card: 'card_in_file', locked: 'locked_file', 'too-much': 'too_much_in_file' }

/** Says why the server refused: in the interface's language where the widget knows the reason, else in the server's. */
export function why(problem: Problem): string {
  const known = reasons[problem.reason]
  return known ? t(known, { name: problem.file }) : problem.title || problem.code
}

/** Returns the text for a count, by the language's own plural rules; {n} is the number. */
export function count(key: Counted, n: number): string {
  const forms = strings[key] as Record<string, string>
  const form = forms[new Intl.PluralRules(locale).select(n)] ?? forms.other!
  return fill(form, { n: new Intl.NumberFormat(locale).format(n) })
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => isolated(String(values[name] ?? '')))
}

/** Keeps a name or version in one piece inside text that runs from the right (Unicode FSI and PDI). */
function isolated(value: string): string {
  return direction(locale) === 'rtl' ? `\u2068${value}\u2069` : value
}

export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames(locale, { type: 'language' }).of(code) ?? code
  } catch {
    return code
  }
}

/** Names a region code ("EU", "IN"); anything else is shown as it is. */
export function regionName(region: string): string {
  if (!/^[A-Z]{2}$/i.test(region)) return region
  return new Intl.DisplayNames(locale, { type: 'region' }).of(region.toUpperCase()) ?? region
}

const minute = 60_000
const hour = 60 * minute

/** "now", "5 min ago", "3 hr ago"; the clock for what is older than the day, whose date stands above it. */
export function ago(at: Date, now: Date): string {
  const passed = now.getTime() - at.getTime()
  if (passed < minute) return t('now')
  const relative = new Intl.RelativeTimeFormat(locale, { style: 'short', numeric: 'always' })
  if (passed < hour) return relative.format(-Math.floor(passed / minute), 'minute')
  if (sameDay(at, now)) return relative.format(-Math.floor(passed / hour), 'hour')
  return new Intl.DateTimeFormat(locale, { timeStyle: 'short' }).format(at)
}

export function exact(at: Date): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' }).format(at)
}

/** A date and time to be read in a sentence. */
export function moment(at: Date): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(at)
}

export function day(at: Date, now: Date): string {
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  if (sameDay(at, now)) return words.format(0, 'day')
  const yesterday = new Date(now)
  yesterday.setDate(now.getDate() - 1)
  if (sameDay(at, yesterday)) return words.format(-1, 'day')
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' as const }
  return new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', ...year }).format(at)
}

export function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString()
}

export function size(bytes: number): string {
  const [value, unit] = bytes < 1e3 ? [bytes, 'byte'] : bytes < 1e6 ? [bytes / 1e3, 'kilobyte'] : [bytes / 1e6, 'megabyte']
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)
}
