// What was read in each face, smoothed over time.

import { best } from "./panel.js"
import { History } from "./timeline.js"
import { Smoother } from "./tracker.js"

const SMOOTH_S = 0.35

export class Readings {
  constructor() {
    this.history = new History()
    this.smoothers = new Map() // by face and run
    this.bests = new Map()
  }

  /** Take a run's probabilities of a face at `time` (ms), and smooth them. */
  note(face, run, time, probabilities) {
    const key = `${face.id} ${run.id}`
    if (!this.smoothers.has(key)) this.smoothers.set(key, new Smoother(SMOOTH_S))
    const values = this.smoothers.get(key).update(probabilities, time)
    this.history.add(face.id, run.id, time, values)
    this.bests.set(key, best(run.emotions, values))
  }

  /** The likeliest emotion of a face by a run, or nothing before its first reading. */
  best(face, run) {
    return this.bests.get(`${face.id} ${run.id}`)
  }
}
