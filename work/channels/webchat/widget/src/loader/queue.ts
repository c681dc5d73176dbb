// The page's side of the JavaScript interface: $aver.push([verb, key, arguments]). Everything stays in memory.
import { type Call, pairs } from '../shared/bridge'

type Listener = (data: unknown) => void

/** What the queue needs of the button and panel. */
export interface Shown {
  readonly opened: boolean
  readonly visible: boolean
  open(asked: boolean): void
  close(): void
  show(visible: boolean): void
  configure(key: string, value: unknown): void
}

const userKeys = ['user:email', 'user:nickname', 'user:phone', 'user:avatar', 'user:company', 'user:grounds']
const known: Record<string, readonly string[]> = {
  set: [...userKeys, 'user:token', 'session:data', 'session:segments', 'session:event', 'message:text', 'consent'],
  do: ['chat:open', 'chat:close', 'chat:toggle', 'chat:show', 'chat:hide', 'session:reset', 'message:send', 'message:show',
    'message:read', 'privacy:export', 'privacy:erase', 'consent:withdraw'],
  config: ['language', 'color:scheme', 'color:accent', 'position:reverse'],
  on: ['session:loaded', 'chat:initiated', 'chat:opened', 'chat:closed', 'message:sent', 'message:received',
    ...userKeys.map((key) => key + ':changed')],
  get: [...userKeys, 'chat:unread:count', 'session:identifier', 'session:data'],
  is: ['chat:opened', 'chat:visible'],
}
known.off = known.on!

export class Queue {
  forward: (call: Call) => void = () => {}
  panel!: Shown
  unread = 0
  identifier = ''
  private readonly values = new Map<string, unknown>()
  private readonly data = new Map<string, unknown>()
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly warned = new Set<string>()

  /** Puts itself in the place of the page's array and carries out what was queued there. */
  take(site: { $aver?: unknown }): void {
    const queued = Array.isArray(site.$aver) ? site.$aver : []
    const api = {
      loaded: true,
      push: (...calls: unknown[]): number => {
        for (const call of calls) this.run(call)
        return calls.length
      },
      get: (key: string, name?: string) => this.get(key, name),
      is: (key: string) => this.is(key),
    }
    site.$aver = api
    api.push(...queued)
  }

  emit(name: string, data: unknown): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) {
      try {
        listener(data)
      } catch (error) {
        console.error('Aver: a listener of', name, 'failed:', error)
      }
    }
  }

  private run(call: unknown): void {
    const [verb, key, rest] = Array.isArray(call) ? (call as [unknown, unknown, unknown]) : []
    const name = typeof verb === 'string' && typeof key === 'string' ? `${verb} ${key}` : 'that call'
    try {
      if (known[verb as string]?.includes(key as string)) this.carryOut(verb as string, key as string, rest, call as unknown[])
      else this.warn('does not know ' + name)
    } catch {
      this.warn('could not do ' + name)
    }
  }

  private carryOut(verb: string, key: string, rest: unknown, call: unknown[]): void {
    const args = Array.isArray(rest) ? rest : rest === undefined ? [] : [rest]
    switch (verb) {
      case 'on':
        if (typeof rest === 'function') this.listen(key).add(rest as Listener)
        return
      case 'off':
        if (typeof rest === 'function') this.listen(key).delete(rest as Listener)
        else this.listen(key).clear()
        return
      case 'get':
      case 'is': {
        const answer = call.find((part) => typeof part === 'function') as Listener | undefined
        answer?.(verb === 'is' ? this.is(key) : this.get(key, args[0] as string))
        return
      }
      case 'config':
        this.panel.configure(key, args[0])
        break
      case 'set':
        this.remember(key, args)
        break
      case 'do':
        if (this.show(key)) return
    }
    this.forward(structuredClone({ verb: verb as Call['verb'], key, args })) // as it is now; what cannot be sent fails here
  }

  private listen(name: string): Set<Listener> {
    let set = this.listeners.get(name)
    if (!set) this.listeners.set(name, (set = new Set()))
    return set
  }

  private remember(key: string, args: unknown[]): void {
    if (key === 'session:data') {
      for (const [name, value] of pairs(args)) this.data.set(name, value)
      return
    }
    if (!userKeys.includes(key)) return
    const value = key === 'user:company' ? args : args[0]
    const changed = JSON.stringify(this.values.get(key)) !== JSON.stringify(value)
    this.values.set(key, value)
    if (changed) this.emit(key + ':changed', value)
  }

  /** Does what concerns button and panel alone; tells whether that was all. */
  private show(key: string): boolean {
    const asked = isAsked()
    switch (key) {
      case 'chat:open':
        this.panel.open(asked)
        return true
      case 'chat:close':
        this.panel.close()
        return true
      case 'chat:toggle':
        if (this.panel.opened) this.panel.close()
        else this.panel.open(asked)
        return true
      case 'chat:show':
      case 'chat:hide':
        this.panel.show(key === 'chat:show')
        return true
      case 'session:reset':
        this.values.clear()
        this.data.clear()
        return false
      case 'privacy:export':
      case 'privacy:erase':
        this.panel.open(asked)
        return false
    }
    return false
  }

  get(key: string, name?: string): unknown {
    if (key === 'chat:unread:count') return this.unread
    if (key === 'session:identifier') return this.identifier || null
    if (key === 'session:data') return this.data.get(name ?? '') ?? null
    return this.values.get(key) ?? null
  }

  is(key: string): boolean {
    return key === 'chat:opened' ? this.panel.opened : key === 'chat:visible' && this.panel.visible
  }

  /** Warns once about each thing. */
  warn(what: string): void {
    if (this.warned.has(what)) return
    this.warned.add(what)
    console.warn('Aver: $aver ' + what)
  }
}

/** A page may open the chat in answer to a click or key, not by itself: before that nothing is to be loaded. */
function isAsked(): boolean {
  return navigator.userActivation?.isActive ?? true
}
