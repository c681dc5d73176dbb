// What the loader (in the customer's page) and the frame (of Aver's origin) say to each other. Each side checks origin and
// source of every message before it looks at it. No message text and no token ever crosses to the page: other
// people's scripts run there.

/** A call of the page's queue that the frame carries out. */
export interface Call {
  verb: 'set' | 'do' | 'config'
  key: string
  args: unknown[]
}

export type ToFrame =
  | { aver: 1; is: 'init'; calls: Call[]; open: boolean }
  | { aver: 1; is: 'call'; call: Call }
  | { aver: 1; is: 'open'; open: boolean }

export type ToPage =
  | { aver: 1; is: 'ready'; accent: string }
  | { aver: 1; is: 'event'; name: string; data: unknown }
  | { aver: 1; is: 'facts'; unread: number; identifier: string }
  | { aver: 1; is: 'close' }

/** Tells whether a message is of this bridge at all; origin and source are the caller's to check. */
export function isBridge(data: unknown): data is { aver: 1; is: string } {
  return typeof data === 'object' && data !== null && (data as { aver?: unknown }).aver === 1
}

/** Reads the arguments of session:data: [[[key, value], …]] and, with the same meaning, [key, value]. */
export function pairs(args: unknown[]): [string, unknown][] {
  const list = Array.isArray(args[0]) ? (args[0] as unknown[]) : [args]
  return list.filter((pair): pair is [string, unknown] => Array.isArray(pair) && typeof pair[0] === 'string')
}
