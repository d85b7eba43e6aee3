// Faces over time: the same face keeps its number, and its probabilities are smoothed.

import { overlap } from "./detector.js"

const SAME = 0.3 // overlap with where the face was
const FORGET_MS = 600 // a face that is not found for so long is gone
const STEADY = 0.6 // share of a new box in the one that is shown: a steady crop gives steady probabilities
const JUMP = 0.6 // below this overlap a face has moved, and its box follows at once

/** Gives faces their numbers, from 1 on. */
export class Tracker {
  constructor() {
    this.faces = []
    this.last = 0
  }

  /** The faces that were found at `time` (ms), the largest first: { id, time, … as found }. */
  update(found, time) {
    const free = [...this.faces]
    const seen = found.map((box) => {
      const known = mostAlike(free, box)
      if (!known) return { id: ++this.last, ...box, time }
      free.splice(free.indexOf(known), 1)
      return { id: known.id, ...steadied(known, box), time }
    })
    this.faces = [...seen, ...free.filter((face) => time - face.time < FORGET_MS)]
    return seen.sort((first, second) => second.width * second.height - first.width * first.height)
  }
}

function mostAlike(faces, box) {
  const best = faces.reduce((best, face) => (!best || overlap(face, box) > overlap(best, box) ? face : best), null)
  return best && overlap(best, box) > SAME ? best : null
}

function steadied(known, box) {
  if (overlap(known, box) < JUMP) return box
  const mix = (name) => Math.round(STEADY * box[name] + (1 - STEADY) * known[name])
  const side = mix("width")
  return { ...box, x: mix("x"), y: mix("y"), width: side, height: side }
}

/** Probabilities of one face, smoothed over time: what is `seconds` old weighs a third of what is new. */
export class Smoother {
  constructor(seconds) {
    this.seconds = seconds
    this.values = null
  }

  /** The smoothed probabilities after `values` came at `time` (ms). */
  update(values, time) {
    const share = this.values ? 1 - Math.exp(-(time - this.time) / (1000 * this.seconds || 1e-3)) : 1
    this.values = values.map((value, place) => (this.values ? this.values[place] : 0) * (1 - share) + share * value)
    this.time = time
    return this.values
  }
}
