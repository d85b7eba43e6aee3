// What is drawn over the camera's picture: a frame for each face, and what the runs read in it.

const WHITE = "#FFFFFF"

/**
 * Draw `faces` ({ id, box…, labels: [{ text, color, ink }], chosen }) on a canvas of the picture's size.
 * Mirrored means that the picture is; texts stay readable.
 */
export function drawFaces(canvas, faces, { width, height, mirrored, shown }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  const context = canvas.getContext("2d")
  const unit = Math.max(1, width / Math.max(shown, 1)) // picture pixels per pixel of the screen
  context.clearRect(0, 0, width, height)
  for (const face of faces) {
    const left = mirrored ? width - face.x - face.width : face.x
    drawFrame(context, { ...face, x: left }, unit)
    drawLabels(context, { ...face, x: left }, unit, width)
  }
}

function drawFrame(context, { x, y, width, height, labels, chosen }, unit) {
  context.lineWidth = (chosen ? 5 : 3) * unit
  context.strokeStyle = "rgba(0, 0, 0, 0.45)"
  context.strokeRect(x, y, width, height)
  context.lineWidth = (chosen ? 3 : 1.5) * unit
  context.strokeStyle = labels[0]?.color ?? WHITE
  context.strokeRect(x, y, width, height)
}

function drawLabels(context, { x, y, height, labels }, unit, pictureWidth) {
  const line = 20 * unit
  context.font = `600 ${13 * unit}px ${getComputedStyle(context.canvas).fontFamily}`
  context.textBaseline = "middle"
  const above = y - labels.length * line
  let top = above >= 0 ? above : Math.min(y + height, context.canvas.height - labels.length * line)
  for (const { text, color, ink } of labels) {
    const width = context.measureText(text).width + 12 * unit
    const left = Math.max(0, Math.min(x, pictureWidth - width))
    context.fillStyle = color
    context.fillRect(left, top, width, line)
    context.fillStyle = ink
    context.fillText(text, left + 6 * unit, top + line / 2)
    top += line
  }
}

/** The picture as it is seen, with the frames, as a PNG blob. */
export function picture(video, overlay, mirrored) {
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight })
  const context = canvas.getContext("2d")
  context.save()
  if (mirrored) {
    context.translate(canvas.width, 0)
    context.scale(-1, 1)
  }
  context.drawImage(video, 0, 0)
  context.restore()
  context.drawImage(overlay, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"))
}
