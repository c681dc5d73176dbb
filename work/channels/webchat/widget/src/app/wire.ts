// The shapes of PROTOCOL.md, and calls over HTTP.

export interface Config {
  website: string
  name: string
  logo_url?: string
  accent: string
  color_scheme: 'auto' | 'light' | 'dark'
  language: string
  online: boolean
  /** When that changes next, by the office hours; empty: never. */
  until: string
  offline_message: string
  reply_time_text: string
  consent: { required: boolean; purpose: string; version: string; text: string; language: string; notice_url: string }
  attachments: { max_bytes: number; types: string[] }
  identity: { enforced: boolean }
  region: string
  answered_by: { kind: 'person' | 'team' | 'assistant'; name: string }
  my_data_url?: string
  /** The browser sent Global Privacy Control, and it is honoured. */
  gpc?: boolean
}

export interface Conversation {
  id: string
  state: string
  epoch: string
  offset: number
  unread: number
}

export interface Attachment {
  id: string
  name: string
  type: string
  size: number
  url?: string
}

export interface Message {
  conversation: string
  seq: number
  client_id?: string
  at: string
  from: { kind: 'visitor' | 'operator' | 'system' | 'assistant'; name?: string; avatar_url?: string }
  text: string
  attachments: Attachment[]
  state?: 'sent' | 'delivered' | 'read'
  /** Its words were taken out. */
  redacted?: boolean
}

export interface Hello {
  contact: string
  conversation?: Conversation
}

export interface Push {
  push: string
  channel?: string
  epoch?: string
  offset?: number
  data: Record<string, unknown>
}

export interface Receipt {
  id: string
  at: string
  text: string
  /** Of the file that proves it. */
  url: string
}

/** The server refused; the title is its most telling sentence, fit to be shown, and the reason is for programs. */
export class Problem extends Error {
  /** The name of the file that was refused. */
  file = ''

  constructor(readonly code: string, readonly title: string, readonly retryAfter = 0, readonly reason = '') {
    super(code)
  }

  /** Tells whether the same request may succeed later. */
  get passing(): boolean {
    return ['too-many', 'unavailable', 'away', 'internal', 'no-space'].includes(this.code)
  }

  /** Tells whether the same is always refused, because of what it is: a file or a text that is too large, or a file that is
   * not taken. What is too much for one day may be sent on the next. */
  get lasting(): boolean {
    return this.code === 'too-large' ? this.reason !== 'day' : this.code === 'invalid' && this.file !== '' && this.reason !== ''
  }
}

/** No answer arrived. What was asked may or may not have happened. */
export class Lost extends Error {}

const codes: Record<number, string> = { 401: 'unauthenticated', 403: 'forbidden', 404: 'not-found', 410: 'gone', 413: 'too-large',
  422: 'invalid', 429: 'too-many', 503: 'unavailable', 507: 'no-space' }

/** Reads an RFC 9457 problem, from a body or a socket's error; status is for bodies that are none. */
export function problem(body: unknown, status = 500): Problem {
  const object = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const p = (object.error ?? object) as Record<string, unknown> // POST send wraps it
  const code = typeof p.code === 'string' ? p.code : codes[status] ?? (status >= 500 ? 'internal' : 'invalid')
  const words = [p.detail, p.title].find((text) => typeof text === 'string' && text !== '')
  const [first] = Array.isArray(p.errors) ? (p.errors as { code?: string }[]) : []
  return new Problem(code, String(words ?? ''), Number(p.retry_after) || 0, first?.code)
}

function bearer(token: string): Record<string, string> {
  return token ? { Authorization: 'Bearer ' + token } : {}
}

/** Asks over HTTP and returns the answer, or throws Problem or Lost. */
export async function ask(path: string, token: string, init: RequestInit = {}): Promise<Response> {
  if (!/^\/(?!\/)/.test(path)) throw new Problem('invalid', '') // the token goes to our own origin, whatever an answer says
  let response: Response
  try {
    response = await fetch(path, { credentials: 'omit', cache: 'no-store', ...init, headers: { ...bearer(token), ...init.headers } })
  } catch {
    throw new Lost('no answer')
  }
  if (!response.ok) throw problem(await response.json().catch(() => null), response.status)
  return response
}

/** Reads an answer. One that breaks off is none. */
export async function read<T>(response: Response): Promise<T> {
  return response.json().catch(() => { throw new Lost('the answer broke off') })
}

export async function get<T>(path: string, token = ''): Promise<T> {
  return read(await ask(path, token))
}

/** Returns the configuration, with what a server may leave out filled in. */
export async function getConfig(website: string, language: string): Promise<Config> {
  const config = await get<Config>(`/widget/v1/config?w=${encodeURIComponent(website)}&lang=${language}`)
  config.attachments = { max_bytes: config.attachments?.max_bytes ?? 0, types: config.attachments?.types ?? [] }
  config.consent.notice_url ??= ''
  return config
}

export async function post<T>(path: string, token: string, body: object): Promise<T> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  return read(await ask(path, token, init))
}

/** Sends a file. Only XMLHttpRequest tells how far an upload is. */
export function upload(token: string, file: File, progress: (share: number) => void): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', '/widget/v1/uploads')
    request.responseType = 'json'
    request.setRequestHeader('Authorization', 'Bearer ' + token)
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream')
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name))
    request.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0)
    request.onerror = request.onabort = () => reject(new Lost('no answer'))
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as Attachment)
      else reject(Object.assign(problem(request.response, request.status), { file: file.name }))
    }
    request.send(file)
  })
}
