// BlazeFace (short range): what it is given, and the faces in what it answers. Anchors as MediaPipe's
// ssd_anchors_calculator has them: two a cell of 8 pixels, then six a cell of 16.

import { toPlanes } from "./pixels.js"

const LONG_SIDE = 192 // of what the detector sees; a face of a twelfth of it is still found
const CELL = 16 // the picture's sides are whole cells
const STRIDES = [{ stride: 8, anchors: 2 }, { stride: 16, anchors: 6 }]
const VALUES = 16 // of a box: centre, size and six points, in the detector's pixels from the cell's centre
const THRESHOLD = 0.6
const OVERLAP = 0.3 // boxes that share more are one face
const MOST_FACES = 8

// BlazeFace's boxes sit lower than those of OpenCV's cascade, which Python's side looks for: medians over the 96 faces
// that both found in 169 film stills (of 640 × 480 pixels); the boxes' overlap rises from 0.67 to 0.76 with them.
const UP = 0.124 // of the box's height
const SCALE = 1.05

/** The detector's picture for a camera's: its sides, and detector pixels per pixel. */
export function targetSize(width, height) {
  const scale = LONG_SIDE / Math.max(width, height)
  const whole = (side) => Math.max(CELL, CELL * Math.ceil((side * scale) / CELL - 1e-6))
  return { width: whole(width), height: whole(height), scale }
}

/** The faces in a picture, the surest first: whole pixels of the picture, and a score in [0, 1]. */
export async function detect(ort, session, picture) {
  const target = targetSize(picture.width, picture.height)
  const pixels = new ort.Tensor("float32", toPlanes(picture, target), [1, 3, target.height, target.width])
  const { boxes, scores } = await session.run({ pixels })
  const found = merge(decode(boxes.data, scores.data, target))
  return found.slice(0, MOST_FACES).map((face) => asCascade(face, target.scale)).filter((face) => touches(face, picture))
}

/** Every box above the threshold, in the detector's pixels; (x, y) is its upper left corner. */
export function decode(boxes, scores, { width, height }) {
  const found = []
  let anchor = 0
  for (const { stride, anchors } of STRIDES) {
    for (let row = 0; row < height / stride; row++) {
      for (let column = 0; column < width / stride; column++) {
        for (let each = 0; each < anchors; each++, anchor++) {
          const score = 1 / (1 + Math.exp(-scores[anchor]))
          if (score < THRESHOLD) continue
          const [x, y, wide, high] = boxes.subarray(anchor * VALUES, anchor * VALUES + 4)
          const left = x + (column + 0.5) * stride - wide / 2, top = y + (row + 0.5) * stride - high / 2
          found.push({ x: left, y: top, width: wide, height: high, score })
        }
      }
    }
  }
  return found
}

/** One box a face: those that overlap the surest are averaged, each weighed by its score. */
export function merge(found) {
  const left = [...found].sort((first, second) => second.score - first.score)
  const faces = []
  while (left.length) {
    const best = left[0]
    const same = left.filter((box) => box === best || overlap(box, best) > OVERLAP)
    const total = same.reduce((sum, box) => sum + box.score, 0)
    const mean = (name) => same.reduce((sum, box) => sum + box.score * box[name], 0) / total
    faces.push({ x: mean("x"), y: mean("y"), width: mean("width"), height: mean("height"), score: best.score })
    for (const box of same) left.splice(left.indexOf(box), 1)
  }
  return faces
}

/** Intersection over union of two boxes. */
export function overlap(first, second) {
  const shared = (at, side) =>
    Math.max(0, Math.min(first[at] + first[side], second[at] + second[side]) - Math.max(first[at], second[at]))
  const both = shared("x", "width") * shared("y", "height")
  return both / (first.width * first.height + second.width * second.height - both)
}

/** A detector's box as OpenCV's cascade would have drawn it: a square in whole pixels of the picture. */
function asCascade({ x, y, width, height, score }, scale) {
  const side = Math.max(1, Math.round((SCALE * Math.max(width, height)) / scale))
  const left = (x + width / 2) / scale - side / 2
  const top = (y + height / 2 - UP * height) / scale - side / 2
  return { x: Math.round(left), y: Math.round(top), width: side, height: side, score }
}

function touches({ x, y, width, height }, picture) {
  return x + width > 0 && y + height > 0 && x < picture.width && y < picture.height
}
