// Keeps one way to the server open: reconnects with full jitter, notices a dead way, falls back from socket to stream.
import { openSocket, openStream, type Ears, type Ok, type Transport } from './transport'
import { type Hello, Lost, Problem, type Push } from './wire'

export interface LinkEvents {
  up(hello: Hello): void
  down(): void
  push(push: Push): void
  /** The server will not have this token: 3500 unknown, 3501 erased, others stop. */
  final(code: number): void
}

// In milliseconds: how long without a text frame until we ask, and until the way counts as dead; how long to wait for the
// answer, and for it when the reader is waiting too; how long a way must have stood for back-off to begin anew.
const silence = { ask: 40_000, dead: 60_000 }
const patience = 15_000
const impatience = 5_000
const stable = 5_000

export class Link {
  private transport: Transport | undefined
  private running = false
  private connecting = false
  private failures = 0
  private refused = 0 // sockets in a row that never opened
  private streamed = false // the last attempt was the stream
  private heardAt = 0
  private upAt = 0
  private retry = 0
  private alive = 0

  constructor(private readonly website: string, private readonly token: () => string, private readonly on: LinkEvents) {
    addEventListener('online', () => this.wake())
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.wake()
    })
  }

  get up(): boolean {
    return this.transport !== undefined
  }

  start(): void {
    if (this.running) return
    this.running = true
    this.failures = 0
    void this.connect()
  }

  stop(): void {
    this.running = false
    clearTimeout(this.retry)
    clearInterval(this.alive)
    const transport = this.transport
    this.transport = undefined
    transport?.close()
  }

  async request(op: string, body: object): Promise<Ok> {
    if (!this.transport) throw new Lost('not connected')
    return this.transport.request(op, body)
  }

  /** The network or the reader is back: find out at once whether the way still stands. */
  private wake(): void {
    if (!this.running) return
    if (this.transport) {
      this.ping(impatience)
      return
    }
    clearTimeout(this.retry)
    void this.connect()
  }

  private async connect(): Promise<void> {
    if (this.connecting || this.transport || !this.running) return
    this.connecting = true
    const token = this.token()
    let transport: Transport | undefined
    const ears: Ears = {
      push: (push) => this.on.push(push),
      heard: () => (this.heardAt = Date.now()),
      down: (code, reason) => this.closed(transport, code, reason),
    }
    try {
      transport = await this.open(token, ears)
      const hello = (await transport.request('hello', { token })) as unknown as Hello
      this.connecting = false
      if (!this.running || token !== this.token()) { // stopped, or begun anew with another token, meanwhile
        transport.close()
        void this.connect()
        return
      }
      this.transport = transport
      this.heardAt = this.upAt = Date.now()
      this.alive = window.setInterval(() => this.watch(), 5_000)
      this.on.up(hello)
    } catch (error) {
      this.connecting = false
      const code = error instanceof Problem ? error.code : ''
      transport?.close()
      if (code === 'unauthenticated' || code === 'gone') this.end(code === 'gone' ? 3501 : 3500)
      else this.again()
    }
  }

  private async open(token: string, ears: Ears): Promise<Transport> {
    const stream = this.refused >= 2 && !this.streamed
    this.streamed = stream
    if (stream) return openStream(token, ears)
    try {
      const socket = await openSocket(this.website, ears)
      this.refused = 0
      return socket
    } catch (error) {
      this.refused++
      throw error
    }
  }

  private closed(transport: Transport | undefined, code: number, reason = ''): void {
    if (code >= 3500) {
      this.end(code)
      return
    }
    if (!transport || transport !== this.transport) return // still greeting: connect() sees the loss itself
    this.drop()
    if (Date.now() - this.upAt > stable) this.failures = 0
    this.again(Number(/^retry=(\d{1,5})$/.exec(reason)?.[1]))
  }

  private end(code: number): void {
    if (!this.running) return
    this.running = false
    clearTimeout(this.retry)
    this.drop()
    this.on.final(code)
  }

  private drop(): void {
    clearInterval(this.alive)
    const was = this.transport
    this.transport = undefined
    if (was) this.on.down()
  }

  /** Tries again after the time the server asked for, in milliseconds, else after back-off. */
  private again(asked = NaN): void {
    if (!this.running) return
    clearTimeout(this.retry)
    const limit = Math.min(30_000, 500 * 2 ** this.failures++)
    this.retry = window.setTimeout(() => void this.connect(), Number.isNaN(asked) ? Math.random() * limit : asked)
  }

  private watch(): void {
    if (document.hidden) return // nobody waits, and timers are unreliable: wake() asks when somebody does
    const quiet = Date.now() - this.heardAt
    if (quiet > silence.dead) this.transport?.close()
    else if (quiet > silence.ask) this.ping(patience)
  }

  private ping(limit: number): void {
    const transport = this.transport
    if (!transport) return
    const timer = setTimeout(() => transport.close(), limit)
    transport.request('ping', {}).catch(() => {}).finally(() => clearTimeout(timer))
  }
}
