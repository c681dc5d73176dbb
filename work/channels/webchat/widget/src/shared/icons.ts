/*! Icons: Lucide (ISC) and Feather (MIT), notices in /widget/icons-license.txt */
export const chatIcon = ['M2.992 16.342a2 2 0 0 1 .094 1.167l-1.065 3.29a1 1 0 0 0 1.236 1.168l3.413-.998a2 2 0 0 1 1.099.092 10 10 0 1 0-4.777-4.719']
export const closeIcon = ['M18 6 6 18', 'm6 6 12 12']
export const backIcon = ['m12 19-7-7 7-7', 'M19 12H5']
export const attachIcon = ['m16 6-8.414 8.586a2 2 0 0 0 2.829 2.829l8.414-8.586a4 4 0 1 0-5.657-5.657l-8.379 8.551a6 6 0 1 0 8.485 8.485l8.379-8.551']
export const sendIcon = ['m5 12 7-7 7 7', 'M12 19V5']
export const moreIcon = ['M13 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0', 'M20 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0', 'M6 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0']
export const sentIcon = ['M20 6 9 17l-5-5']
export const deliveredIcon = ['M18 6 7 17l-5-5', 'm22 10-7.5 7.5L13 16']
export const waitingIcon = ['M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0', 'M12 6v6h4']
export const alertIcon = ['M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0', 'M12 8v4', 'M12 16h.01']
export const downloadIcon = ['M12 15V3', 'M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4', 'm7 10 5 5 5-5']
export const fileIcon = ['M6 22a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2h8a2.4 2.4 0 0 1 1.704.706l3.588 3.588A2.4 2.4 0 0 1 20 8v12a2 2 0 0 1-2 2z', 'M14 2v5a1 1 0 0 0 1 1h5']

/** Draws an icon; it says nothing to a screen reader, so whatever holds it needs words. */
export function icon(paths: readonly string[], size = 20): SVGSVGElement {
  const ns = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(ns, 'svg')
  const attributes = { viewBox: '0 0 24 24', width: size, height: size, fill: 'none', stroke: 'currentColor',
    'stroke-width': 2, 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' }
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, String(value))
  for (const d of paths) svg.appendChild(document.createElementNS(ns, 'path')).setAttribute('d', d)
  return svg
}
