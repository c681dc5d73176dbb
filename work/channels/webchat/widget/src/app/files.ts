// Files on their way up, and pictures and archives on their way down. Nothing is fetched by an address that carries a right:
// the token goes in a header, and what comes back is shown from a blob.
import { type Attachment, ask } from './wire'

/** A file the visitor picked. */
export interface Picked {
  file: File
  uploaded?: Attachment
  share: number
  problem?: string
}

const local = new Map<string, string>() // attachment id → blob address

/** Remembers the picture the visitor sent, so that it need not be fetched back. */
export function remember(id: string, file: File): void {
  if (!local.has(id)) local.set(id, URL.createObjectURL(file))
}

/** Returns a blob address of the attachment. */
export async function address(attachment: Attachment, token: string): Promise<string> {
  const known = local.get(attachment.id)
  if (known) return known
  const blob = await (await ask(attachment.url ?? '', token)).blob()
  const url = URL.createObjectURL(blob)
  local.set(attachment.id, url)
  return url
}

/** Lets the browser save what is at an address of the frame. */
export function save(url: string, name: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

/** Fetches and saves; the name is the server's if it gives one. */
export async function download(path: string, token: string, name: string): Promise<void> {
  const response = await ask(path, token)
  const given = /filename="([^"\\/]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1]
  const url = URL.createObjectURL(await response.blob())
  save(url, given ?? name)
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Forgets the blob of an attachment that was taken out. */
export function drop(id: string): void {
  URL.revokeObjectURL(local.get(id) ?? '')
  local.delete(id)
}

/** Forgets every blob, so that nothing of an erased or reset conversation stays in memory. */
export function forget(): void {
  for (const url of local.values()) URL.revokeObjectURL(url)
  local.clear()
}

/** Tells whether the file is of one of the types: image/png, image/*, .txt. */
export function allowed(file: File, types: readonly string[]): boolean {
  return types.some((type) => {
    if (type.startsWith('.')) return file.name.toLowerCase().endsWith(type.toLowerCase())
    if (type.endsWith('/*')) return file.type.startsWith(type.slice(0, -1))
    return file.type === type
  })
}

export function isPicture(type: string): boolean {
  return /^image\/(png|jpeg|gif|webp|avif)$/.test(type)
}
