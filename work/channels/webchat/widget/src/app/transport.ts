// Two ways to the server that look the same to link.ts: a WebSocket, and where a proxy does not let one through, POST with a
// stream of events read by fetch (EventSource can send no Authorization header).
import { ask, Lost, type Problem, problem, type Push, read } from './wire'

export type Ok = Record<string, unknown>

export interface Transport {
  request(op: string, body: object): Promise<Ok>
  close(): void
}

export interface Ears {
  push(push: Push): void
  /** Something arrived, whatever it was. */
  heard(): void
  /** The way is closed, once, with a close code of the protocol (0: without one) and its reason. */
  down(code: number, reason?: string): void
}

/** No answer in this time, in milliseconds, means the way is dead. */
const patience = 15_000

interface Waiting {
  resolve(ok: Ok): void
  reject(error: Error): void
  timer: number
}

/** Opens the socket; rejects with Lost if it never opened. A relay on the way is told whose it is: it sees no frame. */
export function openSocket(website: string, ears: Ears): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const scheme = location.protocol === 'http:' ? 'ws://' : 'wss://'
    const socket = new WebSocket(scheme + location.host + '/widget/v1/socket?w=' + encodeURIComponent(website), 'aver.v1')
    const waiting = new Map<number, Waiting>()
    let last = 0
    let open = false

    const end = (code: number, reason = ''): void => {
      socket.onclose = socket.onmessage = null
      socket.close()
      for (const [, request] of waiting) {
        clearTimeout(request.timer)
        request.reject(new Lost('the socket closed'))
      }
      waiting.clear()
      if (open) ears.down(code, reason)
      else reject(new Lost('the socket did not open'))
    }
    const opening = setTimeout(() => end(0), patience)
    socket.onclose = (event) => end(event.code, event.reason)
    socket.onmessage = (event) => {
      ears.heard()
      const frame = parse(event.data)
      if (!frame) return
      if (typeof frame.push === 'string') return ears.push(frame as unknown as Push)
      const request = waiting.get(frame.id as number)
      if (!request) return
      waiting.delete(frame.id as number)
      clearTimeout(request.timer)
      if (frame.error) request.reject(problem(frame.error))
      else request.resolve((frame.ok ?? {}) as Ok)
    }
    socket.onopen = () => {
      clearTimeout(opening)
      open = true
      resolve({
        request: (op, body) => new Promise((done, fail) => {
          const id = ++last
          if (socket.readyState !== WebSocket.OPEN) return fail(new Lost('the socket is closed'))
          waiting.set(id, { resolve: done, reject: fail, timer: window.setTimeout(() => end(0), patience) })
          socket.send(JSON.stringify({ id, op, ...body }))
        }),
        close: () => end(0),
      })
    }
  })
}

function parse(data: unknown): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(String(data))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** The fallback. A subscribe opens the stream anew; every other request is a POST. */
export function openStream(token: string, ears: Ears): Transport {
  let stream: AbortController | undefined
  let closed = false

  const close = (code: number, reason = ''): void => {
    if (closed) return
    closed = true
    stream?.abort()
    ears.down(code, reason)
  }
  const refused = (error: unknown): void => {
    const code = (error as Problem).code
    close(code === 'unauthenticated' ? 3500 : code === 'gone' ? 3501 : 0)
  }
  const subscribe = (body: object): Promise<Ok> => new Promise((resolve, reject) => {
    stream?.abort()
    const mine = (stream = new AbortController())
    const query = new URLSearchParams(Object.entries(body).map(([key, value]) => [key, String(value)]))
    const on = (event: string, data: Ok): void => {
      if (event === 'subscribe') resolve(data)
      if (event === 'push') ears.push(data as unknown as Push)
      if (event === 'close') close(Number(data.code) || 0, String(data.reason))
    }
    ask('/widget/v1/events?' + query, token, { signal: mine.signal })
      .then((response) => readEvents(response, ears, on))
      .then(() => { throw new Lost('the stream ended') })
      .catch((error) => {
        reject(error)
        if (!mine.signal.aborted) refused(error)
      })
  })
  return {
    async request(op, body) {
      if (closed) throw new Lost('the stream is closed')
      if (op === 'subscribe') return subscribe(body)
      const signal = AbortSignal.timeout(patience)
      const headers = { 'Content-Type': 'application/json' }
      const text = JSON.stringify({ op, ...body, token: undefined })
      try {
        const response = await ask('/widget/v1/send', token, { method: 'POST', headers, body: text, signal })
        ears.heard()
        return (await read<{ ok?: Ok }>(response)).ok ?? {}
      } catch (error) {
        if (error instanceof Lost) close(0)
        throw error
      }
    },
    close: () => close(0),
  }
}

/** Reads text/event-stream (HTML Living Standard §9.2.6) until it ends. */
async function readEvents(response: Response, ears: Ears, on: (event: string, data: Ok) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    ears.heard()
    const blocks = (rest + value).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      let event = 'message'
      let data = ''
      for (const line of block.split('\n')) {
        if (line.startsWith('event:')) event = line.slice(6).trim()
        if (line.startsWith('data:')) data += line.slice(5)
      }
      const value = parse(data)
      if (value) on(event, value)
    }
  }
}
