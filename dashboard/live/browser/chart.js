// The last half minute of one face as lines, one an emotion.

const SECONDS = 30
const GAP_MS = 3000 // without a reading for so long, the line breaks
const MARGIN = { left: 34, right: 62, top: 6, bottom: 18 }

/** Draw `entries` ({ time, values }) until `now` (ms); `style`: { ink, grid, font }. */
export function drawTimeline(canvas, entries, { emotions, colors, now, style }) {
  const ratio = window.devicePixelRatio || 1
  const width = canvas.clientWidth, height = canvas.clientHeight
  const sides = { width: Math.round(width * ratio), height: Math.round(height * ratio) }
  if (canvas.width !== sides.width || canvas.height !== sides.height) Object.assign(canvas, sides)
  const context = canvas.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  const x = (time) => width - MARGIN.right - ((now - time) / 1000 / SECONDS) * (width - MARGIN.left - MARGIN.right)
  const y = (value) => height - MARGIN.bottom - value * (height - MARGIN.top - MARGIN.bottom)
  drawAxes(context, { x, y, now, width, height, style })
  const shown = entries.filter((entry) => entry.time >= now - 1000 * SECONDS)
  emotions.forEach((emotion, place) => drawLine(context, shown, place, colors[emotion], { x, y }))
  const last = shown.at(-1)
  if (last) nameBest(context, last, { emotions, x, y, style })
}

function drawAxes(context, { x, y, now, width, height, style }) {
  context.font = `11px ${style.font}`
  context.fillStyle = style.ink
  context.strokeStyle = style.grid
  context.lineWidth = 1
  context.textBaseline = "middle"
  context.textAlign = "right"
  for (const value of [0, 0.5, 1]) {
    context.beginPath()
    context.moveTo(MARGIN.left, Math.round(y(value)) + 0.5)
    context.lineTo(width - MARGIN.right, Math.round(y(value)) + 0.5)
    context.stroke()
    context.fillText(`${100 * value} %`, MARGIN.left - 4, y(value))
  }
  context.textBaseline = "bottom"
  context.textAlign = "left"
  context.fillText(`${SECONDS} s ago`, MARGIN.left, height)
  context.textAlign = "right"
  context.fillText("now", x(now), height)
}

function drawLine(context, entries, place, color, { x, y }) {
  context.strokeStyle = color
  context.lineWidth = 1.75
  context.lineJoin = "round"
  context.beginPath()
  entries.forEach(({ time, values }, position) => {
    const gap = position > 0 && time - entries[position - 1].time > GAP_MS
    if (position && !gap) context.lineTo(x(time), y(values[place]))
    else context.moveTo(x(time), y(values[place]))
  })
  context.stroke()
}

function nameBest(context, { time, values }, { emotions, x, y, style }) {
  const best = values.indexOf(Math.max(...values))
  context.font = `600 11px ${style.font}`
  context.fillStyle = style.ink
  context.textAlign = "left"
  context.textBaseline = "middle"
  context.fillText(emotions[best], x(time) + 5, Math.max(y(values[best]), 8))
}
