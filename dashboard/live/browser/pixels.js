// Pictures as the networks get them: the same crop, gray and resizing as fer_core/inference/boxes.py does with OpenCV.
// A picture is { pixels: RGBA bytes, width, height }; a face is gray bytes, row by row.

const RED = 9798, GREEN = 19235, BLUE = 3735 // OpenCV's weights of 0.299, 0.587 and 0.114, times 2^15

/** The square of the longer side around the same centre, as FaceBox.to_square; whole pixels. */
export function toSquare({ x, y, width, height }) {
  const side = Math.max(width, height)
  return { x: x + Math.floor((width - side) / 2), y: y + Math.floor((height - side) / 2), side }
}

/** The face in a box of whole pixels: gray bytes (size × size); what lies outside the picture repeats its edge. */
export function cropFace(picture, box, size) {
  const square = toSquare(box)
  return resizeFace(grayCrop(picture, square), square.side, size)
}

/** A square of a picture as gray bytes (side × side). */
export function grayCrop({ pixels, width, height }, { x, y, side }) {
  const gray = new Uint8Array(side * side)
  for (let row = 0; row < side; row++) {
    const start = clamp(y + row, height - 1) * width
    for (let column = 0; column < side; column++) {
      const from = 4 * (start + clamp(x + column, width - 1))
      gray[row * side + column] =
        (RED * pixels[from] + GREEN * pixels[from + 1] + BLUE * pixels[from + 2] + 16384) >> 15
    }
  }
  return gray
}

/** A gray face (side × side) as (size × size): averaged over areas when it shrinks, linear when it grows. */
export function resizeFace(face, side, size) {
  if (side === size) return face
  return side > size ? shrunk(face, side, size) : grown(face, side, size)
}

/** As cv2.INTER_AREA, which rounds halves up where it halves a side, and to even else. */
function shrunk(face, side, size) {
  const taps = areaTaps(side, size)
  const rows = new Float32Array(side * size) // every row, its columns averaged
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < size; column++) {
      const { start, weights } = taps[column]
      let sum = 0
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * face[row * side + start + tap]
      rows[row * size + column] = sum
    }
  }
  const up = side === 2 * size ? 1e-3 : 0
  const resized = new Uint8ClampedArray(size * size) // rounds halves to even
  for (let row = 0; row < size; row++) {
    const { start, weights } = taps[row]
    for (let column = 0; column < size; column++) {
      let sum = up
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * rows[(start + tap) * size + column]
      resized[row * size + column] = sum
    }
  }
  return new Uint8Array(resized.buffer)
}

/** For each target pixel the source pixels that it covers. */
function areaTaps(side, size) {
  const scale = side / size
  return Array.from({ length: size }, (_, target) => {
    const from = target * scale, to = Math.min(from + scale, side)
    const start = Math.floor(from + 1e-3), end = Math.ceil(to - 1e-3) // a sliver is left out
    const weights = []
    for (let source = start; source < end; source++) {
      weights.push((Math.min(source + 1, to) - Math.max(source, from)) / (to - from))
    }
    return { start, weights }
  })
}

/** As cv2.INTER_LINEAR: in whole numbers, with weights of 2048ths. */
function grown(face, side, size) {
  const taps = linearTaps(side, size)
  const rows = new Int32Array(side * size)
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < size; column++) {
      const { first, second, weights } = taps[column]
      rows[row * size + column] = weights[0] * face[row * side + first] + weights[1] * face[row * side + second]
    }
  }
  const resized = new Uint8Array(size * size)
  for (let row = 0; row < size; row++) {
    const { first, second, weights } = taps[row]
    for (let column = 0; column < size; column++) {
      const above = (weights[0] * (rows[first * size + column] >> 4)) >> 16
      const below = (weights[1] * (rows[second * size + column] >> 4)) >> 16
      resized[row * size + column] = (above + below + 2) >> 2
    }
  }
  return resized
}

/** For each target pixel the two source pixels beside its centre. */
function linearTaps(side, size) {
  return Array.from({ length: size }, (_, target) => {
    const centre = Math.min(Math.max(((target + 0.5) * side) / size - 0.5, 0), side - 1)
    const first = Math.floor(centre)
    const weight = Math.round((centre - first) * 2048)
    return { first, second: Math.min(first + 1, side - 1), weights: [2048 - weight, weight] }
  })
}

/**
 * A picture for the detector: planes of red, green and blue in [-1, 1], (3 × height × width), each pixel the mean of
 * four within those that it covers; below and to the right of the picture it is black. `scale`: detector pixels per
 * pixel. The mean of all would take three times as long, and finds the same faces.
 */
export function toPlanes({ pixels, width, height }, target) {
  const { width: columns, height: rows, scale } = target
  const plane = rows * columns
  const planes = new Float32Array(3 * plane).fill(-1)
  const inside = { columns: Math.round(width * scale), rows: Math.round(height * scale) }
  const across = samples(width, inside.columns, 4), down = samples(height, inside.rows, 4 * width)
  const factor = 2 / 255 / 4
  for (let row = 0; row < inside.rows; row++) {
    const upper = down[2 * row], lower = down[2 * row + 1]
    for (let column = 0, at = row * columns; column < inside.columns; column++, at++) {
      const left = across[2 * column], right = across[2 * column + 1]
      const a = upper + left, b = upper + right, c = lower + left, d = lower + right
      planes[at] = (pixels[a] + pixels[b] + pixels[c] + pixels[d]) * factor - 1
      planes[plane + at] = (pixels[a + 1] + pixels[b + 1] + pixels[c + 1] + pixels[d + 1]) * factor - 1
      planes[2 * plane + at] = (pixels[a + 2] + pixels[b + 2] + pixels[c + 2] + pixels[d + 2]) * factor - 1
    }
  }
  return planes
}

/** Where two samples of each of `count` cells of a side lie, a quarter from the cell's ends, in steps of `step`. */
function samples(side, count, step) {
  return Int32Array.from({ length: 2 * count }, (_, place) =>
    step * Math.min(Math.floor(((place + 0.5) * side) / (2 * count)), side - 1))
}

function clamp(value, most) {
  return value < 0 ? 0 : value > most ? most : value
}
